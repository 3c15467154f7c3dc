/** CachedIntrospection: one introspection per token and time window, however many requests carry it. */
import { hash } from 'node:crypto';
import type { Clock } from '../caching/clock.js';
import { DeadlineCache } from '../caching/deadline-cache.js';
import { RecentDigests } from '../caching/recent-digests.js';
import { introspections, publishIntrospection, publishOnceAnswered } from '../diagnostics/introspection-channel.js';
import { deepFreeze, type IntrospectionAnswer } from '../protocol/claims.js';
import { tokenHash } from '../protocol/token-hash.js';
import type { Introspection } from './introspection.js';

export interface IntrospectionCacheOptions {
  readonly issuer: string;
  readonly clientId: string;
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

interface Flight {
  readonly startedAtMs: number;
  readonly answer: Promise<IntrospectionAnswer>;
  /** Something newer is known already, by a later question or a verdict: an active answer of this one is old news. */
  isOvertaken: boolean;
}

/** A token that is not active does not become so; it is only asked again in case the server was behind. */
const INACTIVE_TTL_MS = 2000;

/** An answer is renewed when 96 to 98 % of its time are over: early enough to be there in time, and for a call or so in 30 more. */
const RENEW_FROM = 0.96;
const RENEW_JITTER = 0.02;

/**
 * Keeps answers, not verdicts: whoever reads one judges it again. Neither a key nor a value holds a token. Inactive
 * answers have a cache of their own, so that junk can't push out good ones. Failures are kept for nobody.
 *
 * Of two active answers the one that was asked for later counts. An inactive one counts whenever it was asked for: the order
 * in which questions begin is not that in which they reach the server, and no token becomes active again. It ends what
 * is kept, and nothing active is kept of a question that was under way then, nor while it serves itself.
 */
export class CachedIntrospection {
  readonly #active: DeadlineCache<Entry>;
  readonly #inactive: DeadlineCache<Entry>;
  /** By key, in the order of taking off. */
  readonly #flights = new Map<string, Set<Flight>>();
  readonly #ttlMs: number;
  readonly #keyPrefix: string;
  readonly #recentKeys = new RecentDigests();

  constructor(
    private readonly introspection: Pick<Introspection, 'introspect' | 'renew'>,
    options: IntrospectionCacheOptions,
    private readonly clock: Clock,
    /** Told the SHA-256 of a token that was found inactive, so that what was made of it can go too. */
    private readonly onInactive: (tokenHash: string) => void,
  ) {
    this.#active = new DeadlineCache(options.maxCachedIntrospections, clock);
    this.#inactive = new DeadlineCache(options.maxCachedIntrospections, clock);
    this.#ttlMs = options.introspectionTtlSeconds * 1000;
    this.#keyPrefix = `${options.issuer}\n${options.clientId}\n`;
  }

  /** The answer that `introspect` would give without asking, if there is one. */
  known(token: string, maxStalenessSeconds: number): IntrospectionAnswer | undefined {
    const recentKey = this.#recentKeys.recall(token);
    const key = recentKey ?? this.#key(token);
    const nowMs = this.clock.monotonicMs();
    const entry = this.#entry(key, this.#stalenessMs(maxStalenessSeconds), nowMs);
    if (entry === undefined) return undefined;
    if (nowMs >= entry.renewAtMs) this.#renew(key, token, entry, nowMs);
    if (recentKey === undefined && entry.answer['active'] === true) this.#recentKeys.remember(token, key);
    if (introspections.hasSubscribers) publishIntrospection('cached', entry.answer, this.clock, nowMs);
    return entry.answer;
  }

  /**
   * An answer whose question was sent at most `maxStalenessSeconds` ago, or since now. Throws what `Introspection` does: an
   * answer past its time is not served, whatever happened to the server.
   */
  async introspect(token: string, maxStalenessSeconds: number): Promise<IntrospectionAnswer> {
    const key = this.#recentKeys.recall(token) ?? this.#key(token);
    const nowMs = this.clock.monotonicMs();
    const stalenessMs = this.#stalenessMs(maxStalenessSeconds);
    const known = this.#entry(key, stalenessMs, nowMs);
    if (known !== undefined) {
      if (introspections.hasSubscribers) publishIntrospection('cached', known.answer, this.clock, nowMs);
      return known.answer;
    }
    const flight = [...(this.#flights.get(key) ?? [])].at(-1);
    // A flight that took off before this request came knows nothing of what happened in between.
    const joins = flight !== undefined && !flight.isOvertaken && nowMs - flight.startedAtMs < stalenessMs;
    const answering = joins ? flight.answer : this.#ask(key, token, nowMs, this.introspection.introspect(token));
    if (!introspections.hasSubscribers) return answering;
    return publishOnceAnswered(joins ? 'joined' : 'asked', answering, this.clock, nowMs);
  }

  #entry(key: string, stalenessMs: number, nowMs: number): Entry | undefined {
    const entry = this.#active.get(key, nowMs) ?? this.#inactive.get(key, nowMs);
    return entry !== undefined && nowMs - entry.askedAtMs < stalenessMs ? entry : undefined;
  }

  /** In the background, and once: the next request after the entry's end asks for itself, and gets the failure then. */
  #renew(key: string, token: string, entry: Entry, nowMs: number): void {
    entry.renewAtMs = Infinity;
    if (this.#flights.has(key)) return;
    this.#ask(key, token, nowMs, this.introspection.renew(token)).catch(() => undefined);
  }

  #stalenessMs(maxStalenessSeconds: number): number {
    return Math.min(maxStalenessSeconds * 1000, this.#ttlMs);
  }

  #ask(
    key: string,
    token: string,
    startedAtMs: number,
    answering: Promise<IntrospectionAnswer>,
  ): Promise<IntrospectionAnswer> {
    const inTheAir = this.#flights.get(key) ?? new Set<Flight>();
    const flight: Flight = {
      startedAtMs,
      isOvertaken: false,
      answer: answering
        .then((answered) => {
          // An object of its own for each token: what is read of an answer is remembered by it.
          const answer = deepFreeze({ ...answered });
          if (answer['active'] === true) {
            for (const earlier of inTheAir) {
              if (earlier === flight) break;
              earlier.isOvertaken = true;
            }
            if (!flight.isOvertaken) this.#keepActive(key, answer, startedAtMs);
          } else {
            for (const other of inTheAir) other.isOvertaken = true;
            this.#keepInactive(key, answer, startedAtMs);
            this.onInactive(tokenHash(token));
          }
          return answer;
        })
        .finally(() => {
          inTheAir.delete(flight);
          if (inTheAir.size === 0) this.#flights.delete(key);
        }),
    };
    this.#flights.set(key, inTheAir.add(flight));
    return flight.answer;
  }

  #keepActive(key: string, answer: IntrospectionAnswer, askedAtMs: number): void {
    const endMs = askedAtMs + this.#ttlMs;
    const nowMs = this.clock.monotonicMs();
    if (this.#inactive.get(key, nowMs) !== undefined) return;
    const expiresAtMs = nowMs + this.#untilExpiryMs(answer);
    // What ends with the token itself needs no renewal.
    const renewAtMs =
      expiresAtMs <= endMs ? Infinity : askedAtMs + this.#ttlMs * (RENEW_FROM + RENEW_JITTER * Math.random());
    this.#active.set(key, { answer, askedAtMs, renewAtMs }, Math.min(endMs, expiresAtMs) - nowMs);
  }

  #keepInactive(key: string, answer: IntrospectionAnswer, askedAtMs: number): void {
    const active = this.#active.get(key);
    if (active !== undefined) this.#active.delete(key, active);
    const earlier = this.#inactive.get(key);
    if (earlier !== undefined && earlier.askedAtMs > askedAtMs) return;
    const endMs = askedAtMs + Math.min(this.#ttlMs, INACTIVE_TTL_MS);
    this.#inactive.set(key, { answer, askedAtMs, renewAtMs: Infinity }, endMs - this.clock.monotonicMs());
  }

  #untilExpiryMs({ exp }: IntrospectionAnswer): number {
    return typeof exp === 'number' ? (exp - this.clock.epochSeconds()) * 1000 : 0;
  }

  /** All that the answer may depend on. */
  #key(token: string): string {
    return hash('sha256', this.#keyPrefix + token, 'base64url');
  }
}
