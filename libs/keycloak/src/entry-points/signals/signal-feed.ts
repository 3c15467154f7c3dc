/** Signal feed: asks its sources again and again, denies and rechecks what they say, and proves that it does. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedLease } from '../extension/index.js';
import {
  publishSignals,
  type Clock,
  type ComponentLog,
  type ComposedIssuer,
  type RevocationList,
} from '../ports/signals.js';
import { applySignals, type SignalTarget } from './apply-signals.js';
import { LeaseHolder } from './lease-holder.js';
import type { ConnectedSignalSource, Signals, SignalSource } from './signal-source.js';
import { sourceContext, type SignalClient, type SourceIssuer } from './source-context.js';
import { isPassing, reasonOf, triedOnce } from './source-faults.js';

export interface SignalFeedOptions {
  readonly sources: readonly SignalSource[];
  /** From the beginning of one poll to that of the next. */
  readonly pollMs: number;
  /** In whose name, where that is not this service's. */
  readonly client?: SignalClient | undefined;
}

type FollowedIssuer = SourceIssuer & Pick<ComposedIssuer, 'signals' | 'feed'>;

/** After failures, from one poll to the next at most, unless polls are rarer. */
const LONGEST_PAUSE_MS = 5000;

/** What was proven by another replica is read again by so much, since both measure it. */
const MARGIN_MS = 1000;

/** A source with many gaps is logged at most so often. */
const WARNING_PAUSE_MS = 60_000;

/** Keycloak takes longer to start anew. */
const MAX_SILENCE_MS = 10_000;

/** How long the end of the process waits for the polls that are under way. */
const LAST_POLL_MS = 2000;

/** What was told longer ago is not read any more. */
const MAX_SINCE_MS = 600_000;

interface Followed {
  readonly name: string;
  readonly source: ConnectedSignalSource;
  /** Since when all was heard, and until when that was proven; by the clock of the lease. */
  heardSinceMs: number | undefined;
  /** With which lease. */
  fencing: number | undefined;
  provenUntilMs: number;
  /** The start of the last poll that had an answer, by this process. */
  readUntilMs: number;
  failures: number;
  /** When the log was told last that something may have been missed. */
  missedLoggedMs: number;
  /** What the log has it as. */
  isHeard: boolean | undefined;
}

/**
 * It opens nothing: what a source says is refused or asked about once more, and a source that says nothing for a while has answers serve no longer than without it. All sources must be proven for that they serve longer.
 */
export class SignalFeed {
  readonly #clock: Clock;
  readonly #log: ComponentLog;
  readonly #followed: readonly Followed[];
  readonly #closing = new AbortController();
  readonly #leaseHolder: LeaseHolder;
  readonly #target: SignalTarget;
  /** After a longer silence the server may have lost its sessions, which nobody tells: answers of before are asked for anew. */
  readonly #maxSilenceMs: number;
  #running: Promise<unknown> | undefined;

  constructor(
    private readonly at: FollowedIssuer,
    revocations: Pick<RevocationList, 'deny' | 'recheck'>,
    private readonly options: SignalFeedOptions,
  ) {
    const { issuer, introspectionTtlSeconds } = at.options;
    this.#clock = at.clock;
    this.#log = at.loggers('Signals');
    this.#leaseHolder = new LeaseHolder(at.feed, this.#log, options.pollMs);
    this.#maxSilenceMs = Math.min(introspectionTtlSeconds * 1000, MAX_SILENCE_MS) + options.pollMs;
    this.#target = { issuer, revocations, clockSkew: at.clockSkew, log: this.#log };
    const context = sourceContext(at, options.client, this.#log);
    this.#followed = options.sources.map((source) => ({
      name: source.name,
      source: source.connect({ ...context, isTrial: false }),
      heardSinceMs: undefined,
      fencing: undefined,
      provenUntilMs: -Infinity,
      readUntilMs: -Infinity,
      failures: 0,
      missedLoggedMs: -Infinity,
      isHeard: undefined,
    }));
    // The channel may have lost the rechecks of a process that has ended. Nobody repeats them.
    at.signals.onGap(() => {
      for (const one of this.#followed) one.heardSinceMs = undefined;
    });
    for (const source of options.sources) {
      const tryOnce = () => triedOnce(source.connect({ ...context, isTrial: true }));
      at.feed.add({ name: source.name, clientId: context.clientId, tryOnce });
    }
  }

  /** Begins to ask. Throws `Error` where another feed does already: a gap in one must not be covered by the other's proof. */
  start(): void {
    if (!this.at.signals.follow())
      throw new Error('A signal feed runs already: import RevocationEventsModule once, with all sources');
    this.#running = Promise.all(this.#followed.map((one) => this.#follow(one)));
  }

  /** Ends when the polls that are under way have ended, and soon where they don't; another replica may go on. Does not reject. */
  async stop(): Promise<void> {
    this.#closing.abort();
    const waiting = new AbortController();
    const late = sleep(LAST_POLL_MS, undefined, { signal: waiting.signal }).catch(() => undefined);
    await Promise.race([this.#running, late]);
    waiting.abort();
    await this.#leaseHolder.release();
  }

  async #follow(one: Followed): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const beganMs = this.#clock.monotonicMs();
      const lease = await this.#leaseHolder.lease();
      if (lease === undefined) one.heardSinceMs = undefined;
      // A source may break its promise in any way: it is one that is not heard.
      else await this.#poll(one, lease, beganMs).catch((error: unknown) => this.#fail(one, error));
      const longestMs = Math.min(Math.max(LONGEST_PAUSE_MS, this.options.pollMs), this.#leaseHolder.renewWithinMs);
      const pauseMs = Math.min(longestMs, this.options.pollMs * 2 ** Math.min(one.failures, 8));
      const untilMs = beganMs + (one.failures === 0 ? this.options.pollMs : pauseMs * (0.5 + Math.random() / 2));
      await this.#pause(Math.max(0, untilMs - this.#clock.monotonicMs()));
    }
  }

  /** `beganMs`: before the lease was asked for, so that nothing is claimed of before it was heard. */
  async #poll(one: Followed, lease: FeedLease | 'unknown', beganMs: number): Promise<void> {
    // Another replica may have listened meanwhile.
    if (lease !== 'unknown' && lease.fencing !== one.fencing)
      [one.heardSinceMs, one.fencing] = [undefined, lease.fencing];
    const heardUntilMs = this.#heardUntilMs(one);
    const hasGap = beganMs - heardUntilMs > this.#maxSilenceMs;
    if (hasGap) one.heardSinceMs = undefined;
    // What was told meanwhile is read all the same, unless that is too much.
    const readFromMs = beganMs - heardUntilMs > MAX_SINCE_MS ? beganMs : heardUntilMs;
    const sinceMs = this.#clock.monotonicMs() - readFromMs;
    let signals: Signals;
    try {
      signals = await one.source.poll(sinceMs);
    } catch (error) {
      this.#fail(one, error);
      return;
    }
    one.readUntilMs = beganMs;
    const isApplied = applySignals(signals, this.#target);
    publishSignals(this.at.options.issuer, one.name, signals);
    const isWhole = signals.isWhole && isApplied;
    if (!isWhole) this.#missed(one);
    if (signals.fault !== undefined) {
      this.#fail(one, signals.fault);
      return;
    }
    one.failures = 0;
    if (lease === 'unknown' || !isWhole) return;
    // Where nothing was missed since then, it is since when another replica had heard all.
    const heardFromMs = hasGap ? beganMs : Math.min(heardUntilMs, this.at.signals.heardSinceMs);
    one.heardSinceMs ??= lease.grantedAtMs - (beganMs - heardFromMs);
    if (signals.isProven) await this.#prove(one, lease, lease.grantedAtMs - (signals.provenAgoMs ?? 0));
  }

  /** Until when it was heard last, here or by another replica. */
  #heardUntilMs(one: Followed): number {
    return Math.max(one.readUntilMs, this.at.signals.latestMs - MARGIN_MS);
  }

  async #prove(one: Followed, lease: FeedLease, atMs: number): Promise<void> {
    // A server's clock that went back leaves no time that is still to come.
    one.provenUntilMs = Math.min(Math.max(one.provenUntilMs, atMs), lease.grantedAtMs);
    const untilMs = Math.min(...this.#followed.map(({ provenUntilMs }) => provenUntilMs));
    const sinceMs = Math.max(...this.#followed.map(({ heardSinceMs = Infinity }) => heardSinceMs));
    if (sinceMs <= untilMs) {
      const outcome = await this.at.feed.prove(lease, { sinceMs, untilMs }).catch((error: unknown) => {
        this.#leaseHolder.refused(error);
        return 'behind';
      });
      if (outcome !== 'taken') return;
      this.#leaseHolder.proven();
    }
    if (one.isHeard !== true) this.#log.log('Revocations are heard of', { source: one.name });
    one.isHeard = true;
  }

  #missed(one: Followed): void {
    one.heardSinceMs = undefined;
    this.at.signals.interrupt();
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < one.missedLoggedMs + WARNING_PAUSE_MS) return;
    one.missedLoggedMs = nowMs;
    this.#log.warn('Revocations may have been missed: answers of before are asked for anew', { source: one.name });
  }

  #fail(one: Followed, error: unknown): void {
    one.failures += 1;
    // One poll that fails is made good by the next.
    if (one.isHeard === false || (one.failures === 1 && isPassing(error))) return;
    one.isHeard = false;
    const words = 'Revocations are not heard of: answers serve for introspectionTtlSeconds, as without a feed';
    this.#log.error(words, { source: one.name, ...reasonOf(error) });
  }

  /** Ends early when the application ends. */
  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closing.signal, ref: false }).catch(() => undefined);
  }
}
