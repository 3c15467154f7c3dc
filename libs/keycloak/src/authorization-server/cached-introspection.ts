import type { Clock } from '../caching/clock.js';
import { DeadlineCache } from '../caching/deadline-cache.js';
import { Flights, type Flight } from '../caching/flights.js';
import { renewAfterMs, type RenewalWindow } from '../caching/renewal.js';
import type { Dated, SharedLevel } from '../caching/shared-level.js';
import {
  introspections,
  publishIntrospection,
  type IntrospectionMessage,
} from '../diagnostics/introspection-channel.js';
import { deepFreeze, type IntrospectionAnswer } from '../protocol/claims.js';
import { tokenHash } from '../protocol/token-hash.js';
import type { Introspection } from './introspection.js';
import { IntrospectionInOutage, type CacheInOutage, type LookedAt, type TokenUse } from './introspection-in-outage.js';
import { TRY_EVERY_MS, type StaleAnswers } from './stale-answers.js';

export interface IntrospectionCacheOptions {
  readonly issuer: string;
  readonly introspectionTtlSeconds: number;
  readonly introspectionTtlWithEventsSeconds?: number | undefined;
  readonly maxCachedIntrospections: number;
}

/** `askedAtMs` is the time of the introspection request; the answer may miss later revocations. */
interface Entry extends LookedAt {
  readonly askedAtMs: number;
  renewAtMs: number;
  readonly renewSignalledAtMs: number;
  readonly renewUnhealthyMs: number;
}

export interface RecheckMarks {
  readonly latestMs: number;
  areDue(answer: IntrospectionAnswer, askedAtMs: number): boolean;
}

/** The time after a recheck in which an introspection may still return the old state. */
export const RECHECK_OVERLAP_MS = 5000;

const NO_RECHECKS: RecheckMarks = { latestMs: -Infinity, areDue: () => false };

/** `healthyUntilMs(askedAtMs)` is the time up to which this service has received every revocation since `askedAtMs`. */
export interface Signalled {
  healthyUntilMs(askedAtMs: number): number;
  tellsOf(answer: IntrospectionAnswer): boolean;
}

const NEVER_SIGNALLED: Signalled = { healthyUntilMs: () => -Infinity, tellsOf: () => false };

/** Inactive results are cached only briefly, because the server may have answered from outdated data. */
const INACTIVE_TTL_MS = 2000;

/** A requirement is a maximum age of the introspection result in seconds, so a smaller number is stricter. */
export const ANY_ANSWER = Number.MAX_VALUE;

const RENEWAL: RenewalWindow = { from: 0.96, to: 0.98 };
/** The fraction of the TTL up to which a renewal reuses another replica's result. */
const RENEWED_WITHIN = 0.5;
/** Fractions of the TTL, counted from the last proof of a healthy revocation feed. */
const UNHEALTHY_RENEWAL: RenewalWindow = { from: 0.8, to: 0.98 };

const sharedKey = (hash: string): string => `introspection ${hash}`;

/**
 * Caches introspection results, but the caller must verify the claims for each request. The keys of the cache are
 * hashes, so no token is stored. Inactive results have a separate cache, so that invalid tokens can't evict valid
 * results.
 *
 * An inactive token never becomes active again, so an inactive result always replaces an active result.
 *
 * `introspectionTtlSeconds` counts from the last proof of a healthy revocation feed. Without a healthy feed, the TTL
 * counts from the introspection request.
 *
 * During an outage of the server, `IntrospectionInOutage` may use an active result for longer, unless a recheck, an
 * inactive result or the route excludes it.
 */
export class CachedIntrospection {
  readonly #active: DeadlineCache<Entry>;
  readonly #inactive: DeadlineCache<Entry>;
  readonly #flights = new Flights<IntrospectionAnswer>();
  readonly #lookups = new Flights<IntrospectionAnswer>();
  /** The hashes of inactive tokens, for which the cache ignores other replicas' active results. */
  readonly #ended: DeadlineCache<true>;
  readonly #ttlMs: number;
  readonly #signalledTtlMs: number;
  readonly #inOutage: IntrospectionInOutage | undefined;

  constructor(
    private readonly introspection: Pick<Introspection, 'introspect' | 'renew'>,
    private readonly options: IntrospectionCacheOptions,
    private readonly clock: Clock,
    /** Receives the SHA-256 of an inactive token, so that the tokens exchanged from this token are evicted. */
    private readonly onInactive: (tokenHash: string) => void,
    private readonly rechecks = NO_RECHECKS,
    private readonly shared?: SharedLevel,
    private readonly signalled = NEVER_SIGNALLED,
    private readonly stale?: StaleAnswers,
  ) {
    this.#ended = new DeadlineCache(options.maxCachedIntrospections, clock);
    this.#active = new DeadlineCache(options.maxCachedIntrospections, clock);
    this.#inactive = new DeadlineCache(options.maxCachedIntrospections, clock);
    this.#ttlMs = options.introspectionTtlSeconds * 1000;
    this.#signalledTtlMs = Math.max(this.#ttlMs, (options.introspectionTtlWithEventsSeconds ?? 0) * 1000);
    this.#inOutage = stale && new IntrospectionInOutage(this.#forOutages(stale), stale, clock);
  }

  get sizes(): { readonly active: number; readonly inactive: number } {
    return { active: this.#active.size, inactive: this.#inactive.size };
  }

  introspect(
    token: string,
    maxStalenessSeconds: number,
    hash = tokenHash(token),
  ): IntrospectionAnswer | Promise<IntrospectionAnswer> {
    const nowMs = this.clock.monotonicMs();
    const stalenessMs = Math.min(maxStalenessSeconds * 1000, this.#signalledTtlMs);
    const cached = this.#cached(token, hash, stalenessMs, nowMs);
    if (!introspections.hasSubscribers) {
      return cached ?? this.#missed({ token, hash, stalenessMs }, maxStalenessSeconds, nowMs);
    }
    let outcome: IntrospectionMessage['outcome'] = cached === undefined ? 'joined' : 'cached';
    const onOutcome = (how: typeof outcome): void => void (outcome = how);
    const answer = cached ?? this.#missed({ token, hash, stalenessMs, onOutcome }, maxStalenessSeconds, nowMs);
    return publishIntrospection(this.options.issuer, () => outcome, answer, this.clock, nowMs);
  }

  #cached(token: string, hash: string, stalenessMs: number, nowMs: number): IntrospectionAnswer | undefined {
    const entry = this.#active.get(hash, nowMs) ?? this.#inactive.get(hash, nowMs);
    if (entry === undefined || !(nowMs - entry.askedAtMs < stalenessMs)) return undefined;
    // The comparison of times comes first, because it is cheap (perf: guard-overhead).
    if (entry.askedAtMs <= this.rechecks.latestMs && this.rechecks.areDue(entry.answer, entry.askedAtMs)) {
      return undefined;
    }
    if (nowMs - entry.askedAtMs >= this.#ttlMs && !this.#isSignalled(entry, nowMs)) return undefined;
    if (nowMs >= entry.renewAtMs && this.#isRenewalDue(entry, nowMs)) this.#renew(hash, token, entry, nowMs);
    return entry.answer;
  }

  #missed(
    use: TokenUse,
    maxStalenessSeconds: number,
    nowMs: number,
  ): IntrospectionAnswer | Promise<IntrospectionAnswer> {
    const inOutage = maxStalenessSeconds >= ANY_ANSWER ? this.#inOutage : undefined;
    return inOutage === undefined ? this.#ask(use, nowMs) : inOutage.introspect(use, nowMs);
  }

  #forOutages({ maxMs }: StaleAnswers): CacheInOutage {
    return {
      fresh: ({ token, hash, stalenessMs }, nowMs) => this.#cached(token, hash, stalenessMs, nowMs),
      lasting: (hash, nowMs) => this.#lasting(hash, maxMs, nowMs),
      ask: (use, nowMs) => this.#ask(use, nowMs),
      askServer: async ({ token, hash }, nowMs) => {
        const introspect = (): Promise<IntrospectionAnswer> => this.introspection.introspect(token);
        // Joins no older call: it may hang although the server answers again.
        const answer = await this.#fly(hash, introspect, nowMs, this.#joinableMs(TRY_EVERY_MS, nowMs));
        this.#share(sharedKey(hash), hash, answer);
      },
      lookAtOthers: (hash) =>
        this.shared
          ?.peek(sharedKey(hash), this.#ttlMs, (text, at) => this.#final(hash, text, at))
          .then((found) => void (found === undefined || this.#keepFound(hash, found))),
    };
  }

  /** Unlike `#usable`, accepts inactive results that are older than `INACTIVE_TTL_MS`. */
  #final(hash: string, text: string, askedAtMs: number): IntrospectionAnswer | undefined {
    const answer = JSON.parse(text) as IntrospectionAnswer;
    return answer['active'] === true ? this.#usable(hash, text, askedAtMs, this.#ttlMs) : answer;
  }

  #lasting(hash: string, maxMs: number, nowMs: number): Entry | undefined {
    const entry = this.#active.get(hash, nowMs);
    if (entry === undefined || !this.signalled.tellsOf(entry.answer)) return undefined;
    if (this.rechecks.areDue(entry.answer, entry.askedAtMs - RECHECK_OVERLAP_MS)) return undefined;
    return nowMs - this.#expiredAtMs(entry) < maxMs ? entry : undefined;
  }

  /** A feed extends the lifetime, as long as it was healthy. */
  #expiredAtMs({ askedAtMs }: Entry): number {
    const healthyMs = Math.max(askedAtMs, this.signalled.healthyUntilMs(askedAtMs));
    return Math.min(healthyMs + this.#ttlMs, askedAtMs + this.#signalledTtlMs);
  }

  #isSignalled({ answer, askedAtMs }: Entry, nowMs: number): boolean {
    return (
      nowMs - this.signalled.healthyUntilMs(askedAtMs) < this.#ttlMs &&
      answer['active'] === true &&
      this.signalled.tellsOf(answer) &&
      !this.rechecks.areDue(answer, askedAtMs - RECHECK_OVERLAP_MS)
    );
  }

  #isRenewalDue(entry: Entry, nowMs: number): boolean {
    return (
      nowMs >= entry.renewSignalledAtMs ||
      nowMs - this.signalled.healthyUntilMs(entry.askedAtMs) >= entry.renewUnhealthyMs ||
      !this.#isSignalled(entry, nowMs)
    );
  }

  /** Ignores a failed renewal, because the first request after the expiry introspects again. */
  #renew(hash: string, token: string, entry: Entry, nowMs: number): void {
    entry.renewAtMs = Infinity;
    if (this.#flights.isInFlight(hash)) return;
    const renew = () => this.#fly(hash, () => this.introspection.renew(token), this.clock.monotonicMs(), Infinity);
    // Accepts only a recent result of another replica, because an old result would expire as early as the cached
    // result.
    const renewed =
      this.shared === undefined ? renew() : this.#lookFirst(hash, this.#ttlMs * RENEWED_WITHIN, nowMs, renew);
    renewed.catch(() => undefined);
  }

  #ask({ token, hash, stalenessMs, onOutcome }: TokenUse, nowMs: number): Promise<IntrospectionAnswer> {
    // The short TTL limits the age of shared and pending results, because they may predate received events.
    const maxAgeMs = Math.min(stalenessMs, this.#ttlMs);
    const ask = (atMs: number): Promise<IntrospectionAnswer> => {
      const introspect = (): Promise<IntrospectionAnswer> => {
        onOutcome?.('asked');
        return this.introspection.introspect(token);
      };
      return this.#fly(hash, introspect, atMs, this.#joinableMs(maxAgeMs, atMs));
    };
    if (this.shared === undefined || stalenessMs <= 0) return ask(nowMs);
    const onFound = (): void => onOutcome?.('shared');
    return this.#lookFirst(hash, maxAgeMs, nowMs, () => ask(this.clock.monotonicMs()), onFound);
  }

  #fly(
    hash: string,
    ask: () => Promise<IntrospectionAnswer>,
    nowMs: number,
    joinableMs: number,
  ): Promise<IntrospectionAnswer> {
    const fly = async (flight: Flight): Promise<IntrospectionAnswer> => {
      try {
        return this.#keep(hash, flight, await ask());
      } catch (error) {
        this.stale?.failed(error, flight.startedAtMs);
        throw error;
      }
    };
    return this.#flights.run(hash, fly, nowMs, joinableMs);
  }

  #lookFirst(
    hash: string,
    maxAgeMs: number,
    nowMs: number,
    ask: () => Promise<IntrospectionAnswer>,
    onFound: () => void = () => undefined,
  ): Promise<IntrospectionAnswer> {
    const look = async (): Promise<IntrospectionAnswer> => {
      const key = sharedKey(hash);
      const found = await this.shared?.find(key, maxAgeMs, (text, at) => this.#usable(hash, text, at, maxAgeMs));
      if (found !== undefined) {
        onFound();
        return this.#keepFound(hash, found);
      }
      try {
        const answer = await ask();
        this.#share(key, hash, answer);
        return answer;
      } catch (error) {
        this.shared?.release(key);
        throw error;
      }
    };
    return this.#lookups.run(`${hash} ${maxAgeMs}`, look, nowMs, this.#joinableMs(maxAgeMs, nowMs));
  }

  #usable(hash: string, text: string, askedAtMs: number, maxAgeMs: number): IntrospectionAnswer | undefined {
    const answer = JSON.parse(text) as IntrospectionAnswer;
    const ageMs = this.clock.monotonicMs() - askedAtMs;
    if (!(ageMs < maxAgeMs) || this.rechecks.areDue(answer, askedAtMs)) return undefined;
    if (answer['active'] !== true) return ageMs < INACTIVE_TTL_MS ? answer : undefined;
    return this.#ended.get(hash) === undefined && this.#untilExpiryMs(answer) > 0 ? answer : undefined;
  }

  #keepFound(hash: string, { value, askedAtMs }: Dated<IntrospectionAnswer>): IntrospectionAnswer {
    const answer = deepFreeze(value);
    if (answer['active'] !== true) this.#end(hash, answer, askedAtMs);
    else if (!((this.#active.get(hash)?.askedAtMs ?? -Infinity) > askedAtMs)) this.#keepActive(hash, answer, askedAtMs);
    return answer;
  }

  /** `#keep` shares inactive results, also for routes that accept no shared result. */
  #share(key: string, hash: string, answer: IntrospectionAnswer): void {
    if (answer['active'] !== true) return;
    const entry = this.#active.get(hash);
    const askedAtMs = entry?.answer === answer ? entry.askedAtMs : -Infinity;
    this.#put(key, answer, askedAtMs, this.#untilExpiryMs(answer));
  }

  #put(key: string, answer: IntrospectionAnswer, askedAtMs: number, lastsMs: number): void {
    const servesMs = Math.min(askedAtMs + this.#ttlMs - this.clock.monotonicMs(), lastsMs);
    const isFinal = answer['active'] !== true;
    if (servesMs > 0) this.shared?.put(key, { text: JSON.stringify(answer), askedAtMs, servesMs, isFinal });
    else this.shared?.release(key);
  }

  /** Excludes introspections that began before the last recheck, because the recheck may concern their token. */
  #joinableMs(stalenessMs: number, nowMs: number): number {
    return Math.min(stalenessMs, nowMs - this.rechecks.latestMs);
  }

  #keep(hash: string, flight: Flight, answered: IntrospectionAnswer): IntrospectionAnswer {
    // The result is a new object per token, because `claims-verifier.ts` caches by object identity.
    const answer = deepFreeze({ ...answered });
    this.stale?.end();
    if (answer['active'] === true) {
      this.#flights.detachEarlier(hash, flight);
      if (!flight.isDetached) this.#keepActive(hash, answer, flight.startedAtMs);
    } else {
      this.#end(hash, answer, flight.startedAtMs);
      this.#put(sharedKey(hash), answer, flight.startedAtMs, Infinity);
    }
    return answer;
  }

  #end(hash: string, answer: IntrospectionAnswer, askedAtMs: number): void {
    this.#flights.detach(hash);
    this.#keepInactive(hash, answer, askedAtMs);
    if (this.shared !== undefined) this.#ended.set(hash, true, this.#ttlMs);
    this.onInactive(hash);
  }

  #keepActive(hash: string, answer: IntrospectionAnswer, askedAtMs: number): void {
    const endMs = askedAtMs + this.#signalledTtlMs;
    const nowMs = this.clock.monotonicMs();
    if (this.#inactive.get(hash, nowMs) !== undefined) return;
    const expiresAtMs = nowMs + this.#untilExpiryMs(answer);
    const renewAt = (ttlMs: number): number =>
      expiresAtMs <= askedAtMs + ttlMs ? Infinity : askedAtMs + renewAfterMs(ttlMs, RENEWAL);
    const renewals = {
      renewAtMs: renewAt(this.#ttlMs),
      renewSignalledAtMs: renewAt(this.#signalledTtlMs),
      renewUnhealthyMs: renewAfterMs(this.#ttlMs, UNHEALTHY_RENEWAL),
    };
    const staleMs = this.stale?.maxMs ?? 0;
    this.#active.set(
      hash,
      { answer, askedAtMs, lookAtMs: -Infinity, ...renewals },
      Math.min(endMs + staleMs, expiresAtMs) - nowMs,
    );
  }

  #keepInactive(hash: string, answer: IntrospectionAnswer, askedAtMs: number): void {
    const active = this.#active.get(hash);
    if (active !== undefined) this.#active.delete(hash, active);
    const earlier = this.#inactive.get(hash);
    if (earlier !== undefined && earlier.askedAtMs > askedAtMs) return;
    const endMs = askedAtMs + Math.min(this.#ttlMs, INACTIVE_TTL_MS);
    const never = { renewAtMs: Infinity, renewSignalledAtMs: Infinity, renewUnhealthyMs: Infinity };
    this.#inactive.set(hash, { answer, askedAtMs, lookAtMs: Infinity, ...never }, endMs - this.clock.monotonicMs());
  }

  #untilExpiryMs({ exp }: IntrospectionAnswer): number {
    return typeof exp === 'number' ? (exp - this.clock.epochSeconds()) * 1000 : 0;
  }
}
