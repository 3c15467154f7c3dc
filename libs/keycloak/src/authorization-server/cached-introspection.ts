/** CachedIntrospection: one introspection per token and time window, however many requests carry it. */
import type { Clock } from '../caching/clock.js';
import { DeadlineCache } from '../caching/deadline-cache.js';
import { Flights, type Flight } from '../caching/flights.js';
import { renewAfterMs, type RenewalWindow } from '../caching/renewal.js';
import { SharedLevel, type Dated } from '../caching/shared-level.js';
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
/** Of that time: what another replica has asked for within it is a renewal. */
const RENEWED_WITHIN = 0.5;

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
  readonly #flights = new Flights<Dated<IntrospectionAnswer>>();
  readonly #ttlMs: number;

  constructor(
    private readonly introspection: Pick<Introspection, 'introspect' | 'renew'>,
    options: IntrospectionCacheOptions,
    private readonly clock: Clock,
    /** Called with the SHA-256 of a token that was found inactive, so that what was exchanged from it can go too. */
    private readonly onInactive: (tokenHash: string) => void,
    private readonly rechecks = NO_RECHECKS,
    /** What other replicas of this service have asked for. */
    private readonly shared = new SharedLevel(undefined, clock, () => undefined),
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
    // Of other replicas only what they have renewed themselves: else nobody would ask before the end.
    const maxAgeMs = this.#ttlMs * RENEWED_WITHIN;
    const renew = (flight: Flight) => this.#obtain(hash, flight, maxAgeMs, () => this.introspection.renew(token));
    this.#flights.run(hash, renew, nowMs).catch(() => undefined);
  }

  async #ask(token: string, hash: string, stalenessMs: number, nowMs: number): Promise<IntrospectionAnswer> {
    let hasJoined = true;
    const ask = (flight: Flight) => {
      hasJoined = false;
      return this.#obtain(hash, flight, stalenessMs, () => this.introspection.introspect(token));
    };
    const { value, askedAtMs } = await this.#flights.run(hash, ask, nowMs, this.#joinableMs(stalenessMs, nowMs));
    // Whose flight it was may have taken what another replica asked for, and this request must have something younger.
    const isTooOld = nowMs - askedAtMs >= stalenessMs || this.rechecks.areDue(value, askedAtMs);
    return hasJoined && isTooOld ? (await this.#flights.run(hash, ask, nowMs, 0)).value : value;
  }

  /** `maxAgeMs`: how old an answer of another replica may be; 0: this one asks itself, and leaves the others alone. */
  async #obtain(
    hash: string,
    flight: Flight,
    maxAgeMs: number,
    ask: () => Promise<IntrospectionAnswer>,
  ): Promise<Dated<IntrospectionAnswer>> {
    const { startedAtMs } = flight;
    if (!this.shared.isThere || !(maxAgeMs > 0)) {
      return { value: this.#keep(hash, flight, startedAtMs, await ask()), askedAtMs: startedAtMs };
    }
    const { value, askedAtMs } = await this.shared.obtain({
      key: `introspection ${hash}`,
      maxAgeMs,
      read: (text, at) => this.#usable(text, at, maxAgeMs),
      ask,
      write: (dated) => this.#written(dated),
    });
    return { value: this.#keep(hash, flight, askedAtMs, value), askedAtMs };
  }

  /** By the rules for what is kept here. */
  #usable(text: string, askedAtMs: number, maxAgeMs: number): IntrospectionAnswer | undefined {
    const answer = JSON.parse(text) as IntrospectionAnswer;
    const ageMs = this.clock.monotonicMs() - askedAtMs;
    if (!(ageMs < maxAgeMs) || this.rechecks.areDue(answer, askedAtMs)) return undefined;
    if (answer['active'] !== true) return ageMs < INACTIVE_TTL_MS ? answer : undefined;
    return this.#untilExpiryMs(answer) > 0 ? answer : undefined;
  }

  #written({ value, askedAtMs }: Dated<IntrospectionAnswer>) {
    const isActive = value['active'] === true;
    const ttlMs = isActive ? this.#ttlMs : Math.min(this.#ttlMs, INACTIVE_TTL_MS);
    const leftMs = askedAtMs + ttlMs - this.clock.monotonicMs();
    const servesMs = isActive ? Math.min(leftMs, this.#untilExpiryMs(value)) : leftMs;
    return servesMs > 0 ? { text: JSON.stringify(value), servesMs, isFinal: !isActive } : undefined;
  }

  /** How old a flight may be that is joined: whose token it is, is not known before it lands. */
  #joinableMs(stalenessMs: number, nowMs: number): number {
    return Math.min(stalenessMs, nowMs - this.rechecks.latestMs);
  }

  #keep(hash: string, flight: Flight, askedAtMs: number, answered: IntrospectionAnswer): IntrospectionAnswer {
    // An object of its own for each token: what is read of an answer is remembered by it.
    const answer = deepFreeze({ ...answered });
    if (answer['active'] === true) {
      this.#flights.detachEarlier(hash, flight);
      if (!flight.isDetached) this.#keepActive(hash, answer, askedAtMs);
    } else {
      this.#flights.detach(hash);
      this.#keepInactive(hash, answer, askedAtMs);
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
