import type { Clock } from '../caching/clock.js';
import { TOKEN_PROFILES, type CallerClaims } from '../protocol/token-profile.js';
import type { IssuerRecheck } from './rechecks.js';

export interface DoubtOptions {
  readonly revocationRetentionSeconds: number;
  readonly clockToleranceSeconds: number;
  readonly introspectionTtlSeconds: number;
}

interface Claims {
  readonly [claim: string]: unknown;
}

/** One more recheck replaces the oldest recheck, and all tokens issued before the oldest recheck are introspected. */
const MAX_HELD = 10_000;

/** The age in seconds above which a recheck of all tokens takes effect gradually. */
const RECENT_SECONDS = 90;

const HASH_DIGITS = 8;

type Name = 'sid' | 'sub' | 'clientId';

/**
 * Selects tokens for introspection until their expiry, because Keycloak may still report a token as active during a
 * logout.
 */
export class DoubtedTokens {
  /**
   * The times of rechecks in seconds since the epoch, by session, subject or client. Each map is roughly in time order.
   */
  readonly #marks: Readonly<Record<Name, Map<string, number>>> = {
    sid: new Map(),
    sub: new Map(),
    clientId: new Map(),
  };
  #isAny = false;
  #before = -Infinity;
  /** The introspection of tokens issued before this time starts gradually at the monotonic time `#soonFromMs`. */
  #beforeSoon = -Infinity;
  #soonFromMs = -Infinity;

  constructor(
    private readonly options: DoubtOptions,
    private readonly clock: Clock,
    private readonly caller: CallerClaims = TOKEN_PROFILES.keycloak,
  ) {}

  get size(): number {
    const { sid, sub, clientId } = this.#marks;
    return sid.size + sub.size + clientId.size;
  }

  /** `at` is the time of the recheck in epoch seconds, possibly by the clock of another replica. */
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
   * Requires introspection of all earlier tokens, and spreads the first introspections over `introspectionTtlSeconds`.
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

  include(claims: Claims, hash: string): boolean {
    // The cheapest check comes first, because this function runs for every request (perf: jwt).
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
