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
import type { ConnectedSignalSource, SignalSource } from './signal-source.js';
import { sourceContext, type SignalClient, type SourceIssuer } from './source-context.js';
import { isPassing, reasonOf, triedOnce } from './source-faults.js';

export interface SignalFeedOptions {
  readonly sources: readonly SignalSource[];
  readonly pollMs: number;
  readonly client?: SignalClient | undefined;
}

type FollowedIssuer = SourceIssuer & Pick<ComposedIssuer, 'signals' | 'feed'>;

const LONGEST_PAUSE_MS = 5000;

/** A poll repeats the last second before another replica's proof, because the clocks of replicas differ. */
const MARGIN_MS = 1000;

const WARNING_PAUSE_MS = 60_000;

const MAX_SILENCE_MS = 10_000;

const LAST_POLL_MS = 2000;

const MAX_SINCE_MS = 600_000;

interface Followed {
  readonly name: string;
  readonly source: ConnectedSignalSource;
  /** The time since which the feed has missed no event, by the clock of the lease; undefined after a gap. */
  receivedSinceMs: number | undefined;
  fencing: number | undefined;
  healthyUntilMs: number;
  /** The start of the last successful poll of this process, by the monotonic clock. */
  readUntilMs: number;
  failures: number;
  missedLoggedMs: number;
  isReceiving: boolean | undefined;
}

/** The feed can only revoke access: an event causes a denial or an introspection. */
export class SignalFeed {
  readonly #clock: Clock;
  readonly #log: ComponentLog;
  readonly #followed: readonly Followed[];
  readonly #closing = new AbortController();
  readonly #leaseHolder: LeaseHolder;
  readonly #target: SignalTarget;
  /** After a longer pause between polls, Keycloak may have restarted and lost sessions without an event. */
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
    // Timers are late, so with a shorter lifetime of results, every second poll would end a gap.
    const tolerableMs = Math.max(introspectionTtlSeconds * 1000, options.pollMs);
    this.#maxSilenceMs = Math.min(tolerableMs, MAX_SILENCE_MS) + options.pollMs;
    this.#target = { issuer, revocations, clockSkew: at.clockSkew, log: this.#log };
    const context = sourceContext(at, options.client, this.#log);
    this.#followed = options.sources.map((source) => ({
      name: source.name,
      source: source.connect({ ...context, isTrial: false }),
      receivedSinceMs: undefined,
      fencing: undefined,
      healthyUntilMs: -Infinity,
      readUntilMs: -Infinity,
      failures: 0,
      missedLoggedMs: -Infinity,
      isReceiving: undefined,
    }));
    // The channel may have lost rechecks of a process that has since exited.
    at.signals.onGap(() => {
      for (const one of this.#followed) one.receivedSinceMs = undefined;
    });
    for (const source of options.sources) {
      const tryOnce = () => triedOnce(source.connect({ ...context, isTrial: true }));
      at.feed.add({ name: source.name, clientId: context.clientId, tryOnce });
    }
  }

  /** Throws `Error` for a second feed, because the second feed could hide a gap of the first feed. */
  start(): void {
    if (!this.at.signals.follow())
      throw new Error('A signal feed already runs. Import RevocationEventsModule once, with all sources');
    this.#running = Promise.all(this.#followed.map((one) => this.#follow(one)));
  }

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
      if (lease === undefined) one.receivedSinceMs = undefined;
      else await this.#poll(one, lease, beganMs).catch((error: unknown) => this.#fail(one, error));
      const longestMs = Math.min(Math.max(LONGEST_PAUSE_MS, this.options.pollMs), this.#leaseHolder.renewWithinMs);
      const pauseMs = Math.min(longestMs, this.options.pollMs * 2 ** Math.min(one.failures, 8));
      const untilMs = beganMs + (one.failures === 0 ? this.options.pollMs : pauseMs * (0.5 + Math.random() / 2));
      await this.#pause(Math.max(0, untilMs - this.#clock.monotonicMs()));
    }
  }

  /** `beganMs` is a time before the lease request, so the healthy period never starts too early. */
  async #poll(one: Followed, lease: FeedLease | 'unknown', beganMs: number): Promise<void> {
    if (lease !== 'unknown' && lease.fencing !== one.fencing)
      [one.receivedSinceMs, one.fencing] = [undefined, lease.fencing];
    const receivedUntilMs = this.#receivedUntilMs(one);
    const hasGap = beganMs - receivedUntilMs > this.#maxSilenceMs;
    if (hasGap) one.receivedSinceMs = undefined;
    const readFromMs = beganMs - receivedUntilMs > MAX_SINCE_MS ? beganMs : receivedUntilMs;
    const sinceMs = this.#clock.monotonicMs() - readFromMs;
    const signals = await one.source.poll(sinceMs);
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
    const receivedFromMs = hasGap ? beganMs : Math.min(receivedUntilMs, this.at.signals.receivedSinceMs);
    one.receivedSinceMs ??= lease.grantedAtMs - (beganMs - receivedFromMs);
    if (signals.isHealthy) await this.#prove(one, lease, lease.grantedAtMs - (signals.healthyUntilAgoMs ?? 0));
  }

  #receivedUntilMs(one: Followed): number {
    return Math.max(one.readUntilMs, this.at.signals.latestMs - MARGIN_MS);
  }

  async #prove(one: Followed, lease: FeedLease, atMs: number): Promise<void> {
    // `healthyUntilMs` must not be later than the grant of the lease, even if the channel's clock was set back.
    one.healthyUntilMs = Math.min(Math.max(one.healthyUntilMs, atMs), lease.grantedAtMs);
    const untilMs = Math.min(...this.#followed.map(({ healthyUntilMs }) => healthyUntilMs));
    const sinceMs = Math.max(...this.#followed.map(({ receivedSinceMs = Infinity }) => receivedSinceMs));
    if (sinceMs <= untilMs) {
      const outcome = await this.at.feed.prove(lease, { sinceMs, untilMs }).catch((error: unknown) => {
        this.#leaseHolder.refused(error);
        return 'behind';
      });
      if (outcome !== 'taken') return;
      this.#leaseHolder.accepted();
    }
    if (one.isReceiving !== true) this.#log.log('Revocations are received', { source: one.name });
    one.isReceiving = true;
  }

  #missed(one: Followed): void {
    this.at.signals.interrupt();
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < one.missedLoggedMs + WARNING_PAUSE_MS) return;
    one.missedLoggedMs = nowMs;
    this.#log.warn('Revocations may have been missed. Cached results are introspected again', {
      source: one.name,
    });
  }

  #fail(one: Followed, error: unknown): void {
    one.failures += 1;
    // A single failed poll is not logged: the next poll reads the missed events.
    if (one.isReceiving === false || (one.failures === 1 && isPassing(error))) return;
    one.isReceiving = false;
    const words = 'Revocations are not received: introspection results now expire after introspectionTtlSeconds';
    this.#log.error(words, { source: one.name, ...reasonOf(error) });
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closing.signal, ref: false }).catch(() => undefined);
  }
}
