/** Doubted tokens: those that were issued before a recheck. The server may know something of them that their signature can't say. */
import type { Clock } from '../caching/clock.js';
import { TOKEN_PROFILES, type CallerClaims } from '../protocol/token-profile.js';
import type { IssuerRecheck } from './rechecks.js';

export interface DoubtOptions {
  /** No token lives for longer, so that no doubt is of use for longer. */
  readonly revocationRetentionSeconds: number;
  /** Clock skew tolerated between Keycloak and this service. */
  readonly clockToleranceSeconds: number;
  /** The revocation window: what may have been missed is asked about within it. */
  readonly introspectionTtlSeconds: number;
}

/** The claims of a token that are looked at. */
interface Claims {
  readonly [claim: string]: unknown;
}

/** When more are held, every token that was issued before the oldest of them is doubted, whosesoever it is. */
const MAX_HELD = 10_000;

/** One of everything that is older was read from a channel anew, and nobody waits for it. */
const RECENT_SECONDS = 90;

/** As a fraction of 2 ** 32. */
const HASH_DIGITS = 8;

type Name = 'sid' | 'sub' | 'clientId';

/**
 * Of tokens that are verified by their signature. A token that is doubted is introspected from then on, until it ends: that an answer says once more that it is active proves little,
 * since Keycloak still says so while a user logs out. Times are those of the recheck, and are compared with `iat`.
 */
export class DoubtedTokens {
  /** Of whom: when the recheck was made, in seconds since the epoch; in each about in that order. */
  readonly #marks: Readonly<Record<Name, Map<string, number>>> = {
    sid: new Map(),
    sub: new Map(),
    clientId: new Map(),
  };
  #isAny = false;
  /** Whosesoever: those that were issued before. */
  #before = -Infinity;
  /** The same, for those that are asked about one after the other, from this time on; monotonic. */
  #beforeSoon = -Infinity;
  #soonFromMs = -Infinity;

  constructor(
    private readonly options: DoubtOptions,
    private readonly clock: Clock,
    private readonly caller: CallerClaims = TOKEN_PROFILES.keycloak,
  ) {}

  /** Those whose time is over are counted until the next one comes. */
  get size(): number {
    const { sid, sub, clientId } = this.#marks;
    return sid.size + sub.size + clientId.size;
  }

  /** A recheck that was made `at`, in seconds since the epoch, here or by another replica. */
  add(recheck: IssuerRecheck, at: number): void {
    const oldest = this.clock.epochSeconds() - this.options.revocationRetentionSeconds;
    if (at <= oldest) return;
    this.#isAny = true;
    if (recheck === 'everything') {
      if (at < this.clock.epochSeconds() - RECENT_SECONDS) this.#doubtSoon(at);
      else this.#before = Math.max(this.#before, at);
      return;
    }
    this.#dropUntil(oldest);
    const [[name, whose]] = Object.entries(recheck) as [[Name, string]];
    const marks = this.#marks[name];
    const earlier = marks.get(whose) ?? -Infinity;
    marks.delete(whose);
    marks.set(whose, Math.max(at, earlier));
    while (this.size > MAX_HELD) this.#dropFirst();
  }

  /**
   * Something may have been missed until `untilMs` (monotonic), and nobody knows of whom: every token that was issued until then is doubted, each from a time of its own within the revocation window, so
   * that not all of them are asked about at once.
   */
  doubtAll(untilMs = this.clock.monotonicMs()): void {
    const now = this.clock.epochSeconds();
    const until = now - (this.clock.monotonicMs() - untilMs) / 1000;
    if (until <= now - this.options.revocationRetentionSeconds) return;
    this.#isAny = true;
    this.#doubtSoon(until);
  }

  #doubtSoon(before: number): void {
    const nowMs = this.clock.monotonicMs();
    if (!this.#isSpreading(nowMs)) {
      this.#before = Math.max(this.#before, this.#beforeSoon);
      this.#soonFromMs = nowMs;
    }
    this.#beforeSoon = Math.max(this.#beforeSoon, before);
  }

  /** Whether it is to be introspected; `hash` is that of the token. */
  include(claims: Claims, hash: string): boolean {
    // Asked on every request: nothing but this while there was no recheck (perf: jwt).
    if (!this.#isAny) return false;
    const { iat, sid } = claims;
    const issuedAt = typeof iat === 'number' ? iat - this.options.clockToleranceSeconds : -Infinity;
    const marks = this.#marks;
    return (
      issuedAt < this.#before ||
      isMarked(marks.sid, sid, issuedAt) ||
      isMarked(marks.sub, this.caller.subjectOf(claims), issuedAt) ||
      isMarked(marks.clientId, this.caller.clientOf(claims), issuedAt) ||
      (issuedAt < this.#beforeSoon && this.#isItsTime(hash))
    );
  }

  #isItsTime(hash: string): boolean {
    const part = Number.parseInt(hash.slice(0, HASH_DIGITS), 16) / 2 ** 32;
    return this.clock.monotonicMs() >= this.#soonFromMs + part * this.#windowMs;
  }

  #isSpreading(nowMs: number): boolean {
    return nowMs < this.#soonFromMs + this.#windowMs;
  }

  get #windowMs(): number {
    return this.options.introspectionTtlSeconds * 1000;
  }

  #dropUntil(oldest: number): void {
    for (const marks of Object.values(this.#marks)) {
      for (const [whose, at] of marks) {
        if (at > oldest) break;
        marks.delete(whose);
      }
    }
  }

  /** What was issued before it stays doubted, whosesoever it is. */
  #dropFirst(): void {
    let [from, whose, earliest]: [Map<string, number> | undefined, string, number] = [undefined, '', Infinity];
    for (const marks of Object.values(this.#marks)) {
      const { value: first } = marks.entries().next();
      if (first !== undefined && first[1] < earliest) [from, whose, earliest] = [marks, ...first];
    }
    if (from === undefined) return;
    from.delete(whose);
    this.#before = Math.max(this.#before, earliest);
  }
}

function isMarked(marks: ReadonlyMap<string, number>, whose: unknown, issuedAt: number): boolean {
  if (marks.size === 0 || typeof whose !== 'string') return false;
  const at = marks.get(whose);
  return at !== undefined && issuedAt < at;
}
