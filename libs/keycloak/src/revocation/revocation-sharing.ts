import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../caching/clock.js';
import type { ChannelRefusal } from './channel-refusals.js';
import { ChannelTrust, NO_CHANNEL, NOT_PROVEN, type ChannelTrustStatus } from './channel-trust.js';
import { RevocationAppends, type SharingLog } from './revocation-appends.js';
import type {
  ChannelExamination,
  ChannelQuestion,
  ChannelReadability,
  ConnectedRevocationChannel,
  ProofChannel,
  RevocationChannel,
  RevocationChannelContext,
  RevocationReceiver,
  SharedRevocation,
} from './revocation-channel.js';
import type { HeldDenials } from './held-denials.js';
import type { Rechecks } from './rechecks.js';
import { SharedRechecks } from './shared-rechecks.js';
import type { ReceivedPeriod } from './signal-proof.js';

/**
 * - `none`: the application has no channel.
 * - `reading`: the channel has not been read yet, so earlier denials may be missing.
 * - `caught_up`: the whole channel has been read, and new entries are read on arrival.
 * - `lost`: the channel can't be read now; earlier entries stay in force.
 */
export type RevocationChannelState = 'none' | 'reading' | 'caught_up' | 'lost';

export interface RevocationChannelStatus extends ChannelTrustStatus {
  readonly state: RevocationChannelState;
  /**
   * Whether this replica has read the whole channel once. `isReady` is true without a channel, and false without the
   * channel's keys.
   */
  readonly isReady: boolean;
  /** The number of denials that other replicas may not know. */
  readonly unshared: number;
  /** Whether the last append to the channel succeeded. */
  readonly isTaking: boolean;
}

export interface SharingOptions {
  readonly issuer: string;
  readonly revocationRetentionSeconds: number;
  readonly maxRevocations: number;
  readonly introspectionTtlSeconds: number;
  readonly introspectionTtlWithEventsSeconds?: number | undefined;
  readonly introspectionStaleIfErrorSeconds?: number;
  readonly allowInsecureRequests: boolean;
  readonly revocationChannel: RevocationChannel | undefined;
}

const LAST_WORDS_MS = 1000;
const SKEW_SECONDS = 60;
const WARNING_PAUSE_MS = 60_000;

export interface SharingListener {
  interrupt(): void;
  prove(period: ReceivedPeriod): void;
}

const NOBODY: SharingListener = { interrupt: () => undefined, prove: () => undefined };

export class RevocationSharing implements RevocationReceiver {
  #state: RevocationChannelState;
  #hasCaughtUp = false;
  /** Stays true, because an outage must not make all replicas unready at once. */
  #hasBeenReady = false;
  readonly #trust: ChannelTrust;
  #channel: ConnectedRevocationChannel | undefined;
  readonly #rechecks: SharedRechecks | undefined;
  readonly #appends: RevocationAppends;
  #gapLoggedMs = -Infinity;
  readonly #closing = new AbortController();
  readonly #waiting: (() => void)[] = [];
  readonly #context: RevocationChannelContext;

  constructor(
    private readonly held: HeldDenials,
    rechecks: Rechecks,
    private readonly options: SharingOptions,
    private readonly clock: Clock,
    private readonly log: SharingLog,
    private readonly listener: SharingListener = NOBODY,
  ) {
    const { issuer, revocationRetentionSeconds: memorySeconds, maxRevocations, allowInsecureRequests } = options;
    // Services that verify signatures need rechecks and denials until the tokens expire.
    const recheckSeconds = memorySeconds;
    this.#context = { issuer, memorySeconds, recheckSeconds, maxRevocations, allowInsecureRequests, clock };
    this.#state = options.revocationChannel === undefined ? 'none' : 'reading';
    this.#trust = new ChannelTrust(clock, log);
    options.revocationChannel?.check(this.#context);
    if (options.revocationChannel !== undefined) {
      const { introspectionTtlSeconds, introspectionStaleIfErrorSeconds: staleSeconds = 0 } = options;
      const { introspectionTtlWithEventsSeconds = introspectionTtlSeconds } = options;
      const toAnswersSeconds = introspectionTtlWithEventsSeconds + staleSeconds + SKEW_SECONDS;
      const useful = { seconds: recheckSeconds, toAnswersSeconds };
      this.#rechecks = new SharedRechecks(rechecks, useful, clock, () => this.#appends.soon());
    }
    const channel = () => (this.#state === 'caught_up' ? this.#channel : undefined);
    this.#appends = new RevocationAppends(held, this.#rechecks, channel, log, this.#closing.signal);
    held.onDenied(() => this.#appends.soon());
  }

  get status(): RevocationChannelStatus {
    const hasChannel = this.#state !== 'none';
    return {
      ...(hasChannel ? this.#trust.status : NO_CHANNEL),
      state: this.#state,
      isReady: this.#hasBeenReady || !hasChannel,
      unshared: hasChannel ? this.held.unshared.size : 0,
      isTaking: this.#appends.isTaking,
    };
  }

  async examine(question: ChannelQuestion): Promise<ChannelExamination | undefined> {
    return this.options.revocationChannel?.examine?.(this.#context, question);
  }

  /** Turns sharing off for tests of an application, so that no data leaves the process. */
  leaveOff(): void {
    this.#state = 'none';
  }

  async start(maxWaitMs: number): Promise<void> {
    const { revocationChannel } = this.options;
    // After the application has closed, no hook would close a new connection to the channel.
    if (revocationChannel === undefined || this.#channel !== undefined || this.#closing.signal.aborted) return;
    const caughtUp = new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (revocationChannel.proofKeys?.().publicKeys === 0) this.refused('no_public_key');
    this.#channel = revocationChannel.connect(this.#context, this);
    this.#appends.soon();
    await Promise.race([caughtUp, this.#pause(maxWaitMs)]);
    if (!this.#hasCaughtUp)
      this.log.error('The revocation channel has not been read yet, so this replica is not ready', {});
  }

  async stop(): Promise<void> {
    if (this.#channel === undefined) return this.#closing.abort();
    await Promise.race([this.#appends.underWay(), sleep(LAST_WORDS_MS, undefined, { ref: false })]);
    this.#closing.abort();
    const unshared = this.held.unshared.toAppendSize;
    if (unshared > 0) this.log.error('Denials were not shared. They are lost when this process ends', { unshared });
    await this.#channel.close();
  }

  received(revocation: SharedRevocation, channelAgeSeconds: number): void {
    const { at } = revocation;
    const now = this.clock.epochSeconds();
    const ageSeconds = Math.max(0, now - at, channelAgeSeconds);
    const takenAt = now - channelAgeSeconds;
    if (revocation.kind === 'denial') this.held.receive(revocation.denial, at, takenAt, ageSeconds);
    else if (revocation.kind === 'floor') this.held.receiveFloor(at, takenAt, ageSeconds);
    else this.#rechecks?.receive(revocation, ageSeconds, Math.min(takenAt, at + SKEW_SECONDS));
  }

  caughtUp(): void {
    if (this.#state === 'lost') this.log.log('The revocation channel can be read again', {});
    if (this.#state !== 'caught_up') this.#appends.markUnreadFresh();
    this.#state = 'caught_up';
    this.#hasCaughtUp = true;
    this.#noteReady();
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.#appends.soon();
  }

  /**
   * After a gap, introspection finds the revocations that this replica missed. After a gap, services that verify
   * signatures introspect all tokens within `introspectionTtlSeconds`, so that missed revocations take effect.
   */
  gap(reason: string): void {
    this.#trust.gap(reason);
    const nowMs = this.clock.monotonicMs();
    if (nowMs >= this.#gapLoggedMs + WARNING_PAUSE_MS) {
      this.#gapLoggedMs = nowMs;
      const words =
        'The revocation channel has a gap. This replica reads it from the start and appends the denials that are missing';
      this.log.error(words, { reason });
    }
    if (this.#state !== 'lost') this.#state = 'reading';
    this.#appends.markAllToRepeat();
    this.listener.interrupt();
  }

  healthy({ sinceAgoMs, untilAgoMs }: { readonly sinceAgoMs: number; readonly untilAgoMs: number }): void {
    const nowMs = this.clock.monotonicMs();
    this.#trust.proofAccepted();
    this.listener.prove({ sinceMs: nowMs - sinceAgoMs, untilMs: nowMs - untilAgoMs });
  }

  unhealthy(): void {
    this.#trust.gap(NOT_PROVEN);
    this.listener.interrupt();
  }

  refused(reason: ChannelRefusal): void {
    this.#trust.refused(reason);
  }

  examined(found: ChannelReadability): void {
    this.#trust.examined(found);
    this.#noteReady();
  }

  get canProve(): boolean {
    return this.#state === 'none' || this.options.revocationChannel?.proofKeys?.().canSign !== false;
  }

  #noteReady(): void {
    this.#hasBeenReady ||= this.#hasCaughtUp && this.#trust.hasKeys;
  }

  /** Before the start, `proofs` is undefined. */
  get proofs(): ProofChannel | 'none' | undefined {
    if (this.#state === 'none') return 'none';
    return this.#channel && (this.#channel.proofs ?? 'none');
  }

  get hasReadAll(): boolean {
    return this.#state === 'caught_up' && this.#appends.areAllRead;
  }

  lost(reason: string, hint?: string): void {
    if (this.#state === 'lost') return;
    this.#state = 'lost';
    this.#appends.interrupt();
    const words =
      "The revocation channel can't be read. Denials of other replicas arrive late, and answers are cached as without the channel";
    this.log.error(words, { reason, ...(hint === undefined ? {} : { hint }) });
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closing.signal, ref: false }).catch(() => undefined);
  }
}
