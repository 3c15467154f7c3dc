/** CachedIntrospection: one introspection per token and time window, however many requests carry it. */
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

export interface IntrospectionCacheOptions {
  /** Whose answers these are. */
  readonly issuer: string;
  /** How long an answer may serve: the revocation window. 0 asks for every request. */
  readonly introspectionTtlSeconds: number;
  /** How long it may while it is proven that revocations are heard of. Undefined for no longer. */
  readonly introspectionTtlWithEventsSeconds?: number | undefined;
  /** Bound on the active answers kept, and as many inactive ones. */
  readonly maxCachedIntrospections: number;
}

/** An answer with the time at which its question was sent: only what happened before then is in it. */
interface Entry {
  readonly answer: IntrospectionAnswer;
  readonly askedAtMs: number;
  /** From when on one request has it renewed, while it still serves all; while nothing is proven … */
  renewAtMs: number;
  /** … and while it is; */
  readonly renewSignalledAtMs: number;
  /** and how long after the last proof. */
  readonly renewUnprovenMs: number;
}

/** Says which answers may serve no more, however young they are. */
export interface RecheckMarks {
  /** When it last said so of any; monotonic. */
  readonly latestMs: number;
  areDue(answer: IntrospectionAnswer, askedAtMs: number): boolean;
}

/** Behind a recheck, an answer may say what the server is about to take back: it serves no longer than without proof. */
const RECHECK_OVERLAP_MS = 5000;

const NO_RECHECKS: RecheckMarks = { latestMs: -Infinity, areDue: () => false };

/** Says until when it is proven that whatever ended since an answer was asked for has been heard of here. Times are monotonic. */
export interface Signalled {
  provenUntilMs(askedAtMs: number): number;
  /** Whether it would be heard of, if this token ended. */
  tellsOf(answer: IntrospectionAnswer): boolean;
}

const NEVER_SIGNALLED: Signalled = { provenUntilMs: () => -Infinity, tellsOf: () => false };

/** A token that is not active does not become so; it is only asked about again in case the server was behind. */
const INACTIVE_TTL_MS = 2000;

/** Of an answer's time: late enough for a call or so in 30 more, early enough for the new answer to be there in time. */
const RENEWAL: RenewalWindow = { from: 0.96, to: 0.98 };
/** Of that time: what another replica has asked for within it is a renewal. */
const RENEWED_WITHIN = 0.5;
/** Of that time, from the last proof on, if there comes no other: so that not all answers end at once. */
const UNPROVEN_RENEWAL: RenewalWindow = { from: 0.8, to: 0.98 };

/**
 * Keeps answers, not verdicts: the caller judges each answer again. Neither a key nor a value holds a token. All keys are of one
 * issuer and one introspecting client, whose answers these are. Inactive answers have a cache of their own, so that junk can't
 * push out good ones. Failures are not kept.
 *
 * Of two active answers the one that was asked for later counts. An inactive one counts whenever it was asked for: the order
 * in which questions begin is not that in which they reach the server, and no token becomes active again. It ends what
 * is kept, and nothing active is kept of a question that was in flight then, nor while it serves itself.
 *
 * While it is proven that revocations are heard of, an answer serves for `introspectionTtlWithEventsSeconds`: `introspectionTtlSeconds` count from the last proof then, and no more from the question. Without proof they count
 * from the question, as ever.
 */
export class CachedIntrospection {
  readonly #active: DeadlineCache<Entry>;
  readonly #inactive: DeadlineCache<Entry>;
  readonly #flights = new Flights<IntrospectionAnswer>();
  /** With a shared level: those who look there, and ask when nothing is found. */
  readonly #lookups = new Flights<IntrospectionAnswer>();
  /** Hashes of tokens that were found inactive: no answer of another replica makes them active again. */
  readonly #ended: DeadlineCache<true>;
  readonly #ttlMs: number;
  /** The same while revocations are heard of. */
  readonly #signalledTtlMs: number;

  constructor(
    private readonly introspection: Pick<Introspection, 'introspect' | 'renew'>,
    private readonly options: IntrospectionCacheOptions,
    private readonly clock: Clock,
    /** Called with the SHA-256 of a token that was found inactive, so that what was exchanged from it can go too. */
    private readonly onInactive: (tokenHash: string) => void,
    private readonly rechecks = NO_RECHECKS,
    /** What other replicas of this service have asked for. */
    private readonly shared?: SharedLevel,
    private readonly signalled = NEVER_SIGNALLED,
  ) {
    this.#ended = new DeadlineCache(options.maxCachedIntrospections, clock);
    this.#active = new DeadlineCache(options.maxCachedIntrospections, clock);
    this.#inactive = new DeadlineCache(options.maxCachedIntrospections, clock);
    this.#ttlMs = options.introspectionTtlSeconds * 1000;
    this.#signalledTtlMs = Math.max(this.#ttlMs, (options.introspectionTtlWithEventsSeconds ?? 0) * 1000);
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
    const stalenessMs = Math.min(maxStalenessSeconds * 1000, this.#signalledTtlMs);
    const cached = this.#cached(token, hash, stalenessMs, nowMs);
    if (!introspections.hasSubscribers) return cached ?? this.#ask(token, hash, stalenessMs, nowMs);
    let outcome: IntrospectionMessage['outcome'] = cached === undefined ? 'joined' : 'cached';
    const answer =
      cached ??
      this.#ask(token, hash, stalenessMs, nowMs, (how) => {
        outcome = how;
      });
    return publishIntrospection(this.options.issuer, () => outcome, answer, this.clock, nowMs);
  }

  #cached(token: string, hash: string, stalenessMs: number, nowMs: number): IntrospectionAnswer | undefined {
    const entry = this.#active.get(hash, nowMs) ?? this.#inactive.get(hash, nowMs);
    if (entry === undefined || !(nowMs - entry.askedAtMs < stalenessMs)) return undefined;
    // perf: guard-overhead. A comparison is all that it takes while nothing is to be rechecked.
    if (entry.askedAtMs <= this.rechecks.latestMs && this.rechecks.areDue(entry.answer, entry.askedAtMs)) {
      return undefined;
    }
    if (nowMs - entry.askedAtMs >= this.#ttlMs && !this.#isSignalled(entry, nowMs)) return undefined;
    if (nowMs >= entry.renewAtMs && this.#isRenewalDue(entry, nowMs)) this.#renew(hash, token, entry, nowMs);
    return entry.answer;
  }

  /** Whether whatever has ended its token since it was asked for would have been heard of, but for what happened within the revocation window. */
  #isSignalled({ answer, askedAtMs }: Entry, nowMs: number): boolean {
    return (
      nowMs - this.signalled.provenUntilMs(askedAtMs) < this.#ttlMs &&
      answer['active'] === true &&
      this.signalled.tellsOf(answer) &&
      !this.rechecks.areDue(answer, askedAtMs - RECHECK_OVERLAP_MS)
    );
  }

  /** Of one that is older than without proof it may be. */
  #isRenewalDue(entry: Entry, nowMs: number): boolean {
    return (
      nowMs >= entry.renewSignalledAtMs ||
      nowMs - this.signalled.provenUntilMs(entry.askedAtMs) >= entry.renewUnprovenMs ||
      !this.#isSignalled(entry, nowMs)
    );
  }

  /** In the background, and once: the next request after the entry's end asks for itself, and gets the failure then. */
  #renew(hash: string, token: string, entry: Entry, nowMs: number): void {
    entry.renewAtMs = Infinity;
    if (this.#flights.isInFlight(hash)) return;
    const renew = () => this.#fly(hash, () => this.introspection.renew(token), this.clock.monotonicMs(), Infinity);
    // Of other replicas only what they have renewed themselves: else nobody would ask before the end.
    const renewed =
      this.shared === undefined ? renew() : this.#lookFirst(hash, this.#ttlMs * RENEWED_WITHIN, nowMs, renew);
    renewed.catch(() => undefined);
  }

  /** `onOutcome` is called unless this request joins another's. */
  #ask(
    token: string,
    hash: string,
    stalenessMs: number,
    nowMs: number,
    onOutcome?: (outcome: 'asked' | 'shared') => void,
  ): Promise<IntrospectionAnswer> {
    // What others have asked for, or are asking, may be from before this replica heard of anything.
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

  /** One call for all who ask within `joinableMs`. */
  #fly(
    hash: string,
    ask: () => Promise<IntrospectionAnswer>,
    nowMs: number,
    joinableMs: number,
  ): Promise<IntrospectionAnswer> {
    const fly = async (flight: Flight): Promise<IntrospectionAnswer> => this.#keep(hash, flight, await ask());
    return this.#flights.run(hash, fly, nowMs, joinableMs);
  }

  /** An answer of another replica that was asked for at most `maxAgeMs` ago, else what `ask` gives, for the others too. */
  #lookFirst(
    hash: string,
    maxAgeMs: number,
    nowMs: number,
    ask: () => Promise<IntrospectionAnswer>,
    onFound: () => void = () => undefined,
  ): Promise<IntrospectionAnswer> {
    const look = async (): Promise<IntrospectionAnswer> => {
      const key = `introspection ${hash}`;
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
    // Who must have a younger one looks for himself.
    return this.#lookups.run(`${hash} ${maxAgeMs}`, look, nowMs, this.#joinableMs(maxAgeMs, nowMs));
  }

  /** By the rules for what is kept here. */
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

  /** What is kept here, and that alone. */
  #share(key: string, hash: string, answer: IntrospectionAnswer): void {
    const isActive = answer['active'] === true;
    const entry = (isActive ? this.#active : this.#inactive).get(hash);
    const askedAtMs = entry?.answer === answer ? entry.askedAtMs : -Infinity;
    const leftMs = askedAtMs + this.#ttlMs - this.clock.monotonicMs();
    const servesMs = isActive ? Math.min(leftMs, this.#untilExpiryMs(answer)) : leftMs;
    if (servesMs > 0) this.shared?.put(key, { text: JSON.stringify(answer), askedAtMs, servesMs, isFinal: !isActive });
    else this.shared?.release(key);
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
      this.#end(hash, answer, flight.startedAtMs);
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
    // What ends with the token itself needs no renewal.
    const renewAt = (ttlMs: number): number =>
      expiresAtMs <= askedAtMs + ttlMs ? Infinity : askedAtMs + renewAfterMs(ttlMs, RENEWAL);
    const renewals = {
      renewAtMs: renewAt(this.#ttlMs),
      renewSignalledAtMs: renewAt(this.#signalledTtlMs),
      renewUnprovenMs: renewAfterMs(this.#ttlMs, UNPROVEN_RENEWAL),
    };
    this.#active.set(hash, { answer, askedAtMs, ...renewals }, Math.min(endMs, expiresAtMs) - nowMs);
  }

  #keepInactive(hash: string, answer: IntrospectionAnswer, askedAtMs: number): void {
    const active = this.#active.get(hash);
    if (active !== undefined) this.#active.delete(hash, active);
    const earlier = this.#inactive.get(hash);
    if (earlier !== undefined && earlier.askedAtMs > askedAtMs) return;
    const endMs = askedAtMs + Math.min(this.#ttlMs, INACTIVE_TTL_MS);
    const never = { renewAtMs: Infinity, renewSignalledAtMs: Infinity, renewUnprovenMs: Infinity };
    this.#inactive.set(hash, { answer, askedAtMs, ...never }, endMs - this.clock.monotonicMs());
  }

  #untilExpiryMs({ exp }: IntrospectionAnswer): number {
    return typeof exp === 'number' ? (exp - this.clock.epochSeconds()) * 1000 : 0;
  }
}
