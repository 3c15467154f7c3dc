/** CachedIntrospection: one introspection per token and time window, however many requests carry it. */
import type { Clock } from '../caching/clock.js';
import { DeadlineCache } from '../caching/deadline-cache.js';
import { Flights, type Flight } from '../caching/flights.js';
import { renewAfterMs, type RenewalWindow } from '../caching/renewal.js';
import { introspections, publishIntrospection } from '../diagnostics/introspection-channel.js';
import { deepFreeze, type IntrospectionAnswer } from '../protocol/claims.js';
import { tokenHash } from '../protocol/token-hash.js';
import type { Introspection } from './introspection.js';

export interface IntrospectionCacheOptions {
  /** How long an answer may serve: the revocation window. 0 asks for every request. */
  readonly introspectionTtlSeconds: number;
  /** Bound on the active answers kept, and as many inactive ones. */
  readonly maxCachedIntrospections: number;
}

/** An answer with the time at which its question was sent: only what happened before then is in it. */
interface Entry {
  readonly answer: IntrospectionAnswer;
  readonly askedAtMs: number;
  /** From when on one request has it renewed, while it still serves all. */
  renewAtMs: number;
}

/** Says which answers may serve no more, however young they are. */
export interface RecheckMarks {
  /** When it last said so of any; monotonic. */
  readonly latestMs: number;
  areDue(answer: IntrospectionAnswer, askedAtMs: number): boolean;
}

const NO_RECHECKS: RecheckMarks = { latestMs: -Infinity, areDue: () => false };

/** A token that is not active does not become so; it is only asked about again in case the server was behind. */
const INACTIVE_TTL_MS = 2000;

/** Of an answer's time: late enough for a call or so in 30 more, early enough for the new answer to be there in time. */
const RENEWAL: RenewalWindow = { from: 0.96, to: 0.98 };

/**
 * Keeps answers, not verdicts: the caller judges each answer again. Neither a key nor a value holds a token. All keys are of one
 * issuer and one introspecting client, whose answers these are. Inactive answers have a cache of their own, so that junk can't
 * push out good ones. Failures are not kept.
 *
 * Of two active answers the one that was asked for later counts. An inactive one counts whenever it was asked for: the order
 * in which questions begin is not that in which they reach the server, and no token becomes active again. It ends what
 * is kept, and nothing active is kept of a question that was in flight then, nor while it serves itself.
 */
export class CachedIntrospection {
  readonly #active: DeadlineCache<Entry>;
  readonly #inactive: DeadlineCache<Entry>;
  readonly #flights = new Flights<IntrospectionAnswer>();
  readonly #ttlMs: number;

  constructor(
    private readonly introspection: Pick<Introspection, 'introspect' | 'renew'>,
    options: IntrospectionCacheOptions,
    private readonly clock: Clock,
    /** Called with the SHA-256 of a token that was found inactive, so that what was exchanged from it can go too. */
    private readonly onInactive: (tokenHash: string) => void,
    private readonly rechecks = NO_RECHECKS,
  ) {
    this.#active = new DeadlineCache(options.maxCachedIntrospections, clock);
    this.#inactive = new DeadlineCache(options.maxCachedIntrospections, clock);
    this.#ttlMs = options.introspectionTtlSeconds * 1000;
  }

  /** Answers that are held. */
  get sizes(): { readonly active: number; readonly inactive: number } {
    return { active: this.#active.size, inactive: this.#inactive.size };
  }

  /**
   * An answer whose question was sent at most `maxStalenessSeconds` ago, at once; else what the server says, as `Introspection`
   * does. An answer past its time is not served, whatever happened to the server. `hash` is the token's SHA-256.
   */
  introspect(
    token: string,
    maxStalenessSeconds: number,
    hash = tokenHash(token),
  ): IntrospectionAnswer | Promise<IntrospectionAnswer> {
    const nowMs = this.clock.monotonicMs();
    const stalenessMs = Math.min(maxStalenessSeconds * 1000, this.#ttlMs);
    const cached = this.#cached(token, hash, stalenessMs, nowMs);
    if (!introspections.hasSubscribers) return cached ?? this.#ask(token, hash, stalenessMs, nowMs);
    // A flight that began before this request is too old for it: that knows nothing of what happened in between.
    const joins = this.#flights.canJoin(hash, nowMs, this.#joinableMs(stalenessMs, nowMs));
    return publishIntrospection(
      cached === undefined ? (joins ? 'joined' : 'asked') : 'cached',
      cached ?? this.#ask(token, hash, stalenessMs, nowMs),
      this.clock,
      nowMs,
    );
  }

  #cached(token: string, hash: string, stalenessMs: number, nowMs: number): IntrospectionAnswer | undefined {
    const entry = this.#active.get(hash, nowMs) ?? this.#inactive.get(hash, nowMs);
    if (entry === undefined || !(nowMs - entry.askedAtMs < stalenessMs)) return undefined;
    // perf: guard-overhead. A comparison is all that it takes while nothing is to be rechecked.
    if (entry.askedAtMs <= this.rechecks.latestMs && this.rechecks.areDue(entry.answer, entry.askedAtMs)) {
      return undefined;
    }
    if (nowMs >= entry.renewAtMs) this.#renew(hash, token, entry, nowMs);
    return entry.answer;
  }

  /** In the background, and once: the next request after the entry's end asks for itself, and gets the failure then. */
  #renew(hash: string, token: string, entry: Entry, nowMs: number): void {
    entry.renewAtMs = Infinity;
    if (this.#flights.isInFlight(hash)) return;
    const renew = async (flight: Flight): Promise<IntrospectionAnswer> =>
      this.#keep(hash, flight, await this.introspection.renew(token));
    this.#flights.run(hash, renew, nowMs).catch(() => undefined);
  }

  #ask(token: string, hash: string, stalenessMs: number, nowMs: number): Promise<IntrospectionAnswer> {
    const ask = async (flight: Flight): Promise<IntrospectionAnswer> =>
      this.#keep(hash, flight, await this.introspection.introspect(token));
    return this.#flights.run(hash, ask, nowMs, this.#joinableMs(stalenessMs, nowMs));
  }

  /** How old a flight may be that is joined: whose token it is, is not known before it lands. */
  #joinableMs(stalenessMs: number, nowMs: number): number {
    return Math.min(stalenessMs, nowMs - this.rechecks.latestMs);
  }

  #keep(hash: string, flight: Flight, answered: IntrospectionAnswer): IntrospectionAnswer {
    // An object of its own for each token: what is read of an answer is remembered by it.
    const answer = deepFreeze({ ...answered });
    if (answer['active'] === true) {
      this.#flights.detachEarlier(hash, flight);
      if (!flight.isDetached) this.#keepActive(hash, answer, flight.startedAtMs);
    } else {
      this.#flights.detach(hash);
      this.#keepInactive(hash, answer, flight.startedAtMs);
      this.onInactive(hash);
    }
    return answer;
  }

  #keepActive(hash: string, answer: IntrospectionAnswer, askedAtMs: number): void {
    const endMs = askedAtMs + this.#ttlMs;
    const nowMs = this.clock.monotonicMs();
    if (this.#inactive.get(hash, nowMs) !== undefined) return;
    const expiresAtMs = nowMs + this.#untilExpiryMs(answer);
    // What ends with the token itself needs no renewal.
    const renewAtMs = expiresAtMs <= endMs ? Infinity : askedAtMs + renewAfterMs(this.#ttlMs, RENEWAL);
    this.#active.set(hash, { answer, askedAtMs, renewAtMs }, Math.min(endMs, expiresAtMs) - nowMs);
  }

  #keepInactive(hash: string, answer: IntrospectionAnswer, askedAtMs: number): void {
    const active = this.#active.get(hash);
    if (active !== undefined) this.#active.delete(hash, active);
    const earlier = this.#inactive.get(hash);
    if (earlier !== undefined && earlier.askedAtMs > askedAtMs) return;
    const endMs = askedAtMs + Math.min(this.#ttlMs, INACTIVE_TTL_MS);
    this.#inactive.set(hash, { answer, askedAtMs, renewAtMs: Infinity }, endMs - this.clock.monotonicMs());
  }

  #untilExpiryMs({ exp }: IntrospectionAnswer): number {
    return typeof exp === 'number' ? (exp - this.clock.epochSeconds()) * 1000 : 0;
  }
}
