/** Revocation sharing: has the denials and rechecks of this replica reach all others by a channel, and theirs reach this one. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../caching/clock.js';
import type {
  ConnectedRevocationChannel,
  RevocationChannel,
  RevocationChannelContext,
  RevocationReceiver,
  SharedRevocation,
} from './revocation-channel.js';
import type { HeldDenial, HeldDenials } from './held-denials.js';
import type { Recheck, Rechecks } from './rechecks.js';

/**
 * - `none`: the application has no channel.
 * - `reading`: what it holds has not been read yet; a denial that another replica made earlier may be missing here.
 * - `caught_up`: everything has been read, and is read as it comes.
 * - `lost`: the channel can't be read now. What was read before holds.
 */
export type RevocationChannelState = 'none' | 'reading' | 'caught_up' | 'lost';

export interface RevocationChannelStatus {
  readonly state: RevocationChannelState;
  /** Whether all that it held has been read once, so that this replica refuses what others have denied; true without a channel. */
  readonly isReady: boolean;
  /** Denials that the other replicas do not know of yet. */
  readonly unshared: number;
}

export interface SharingOptions {
  readonly issuer: string;
  readonly revocationMemorySeconds: number;
  readonly maxRevocations: number;
  readonly introspectionTtlSeconds: number;
  readonly allowInsecureRequests: boolean;
  readonly revocationChannel: RevocationChannel | undefined;
}

export interface SharingLog {
  log(message: string, fields: object): void;
  error(message: string, fields: object): void;
}

/** Appended at once. */
const BATCH = 100;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** After a gap every replica appends what it holds, and not all at one time: most of it will have come from others by then. */
const SPREAD_MS = 500;
/** How long the end of the process waits for what is still to be appended. */
const LAST_WORDS_MS = 1000;
/** Clocks of replicas may differ by so much. */
const SKEW_SECONDS = 60;
/** A channel with many gaps is logged at most so often. */
const WARNING_PAUSE_MS = 60_000;
/** More are one of everything. */
const MAX_RECHECKS = 1000;

export class RevocationSharing implements RevocationReceiver {
  #state: RevocationChannelState = 'none';
  #hasCaughtUp = false;
  #channel: ConnectedRevocationChannel | undefined;
  #toAppend: SharedRevocation[] = [];
  #appending: Promise<void> | undefined;
  #failures = 0;
  #gaps = 0;
  #gapLoggedMs = -Infinity;
  #isAfterGap = false;
  /** A recheck that came by the channel is not sent back to it. */
  #isReceiving = false;
  readonly #closing = new AbortController();
  readonly #waiting: (() => void)[] = [];
  readonly #context: RevocationChannelContext;

  constructor(
    private readonly held: HeldDenials,
    private readonly rechecks: Rechecks,
    private readonly options: SharingOptions,
    private readonly clock: Clock,
    private readonly log: SharingLog,
  ) {
    const { issuer, revocationMemorySeconds: memorySeconds, maxRevocations, allowInsecureRequests } = options;
    this.#context = { issuer, memorySeconds, maxRevocations, allowInsecureRequests, clock };
    options.revocationChannel?.check(this.#context);
    held.onDenied(() => this.#appendSoon());
    rechecks.onRequired((recheck) => this.#addRecheck(recheck));
  }

  get status(): RevocationChannelStatus {
    const hasChannel = this.options.revocationChannel !== undefined;
    return {
      state: this.#state,
      isReady: this.#hasCaughtUp || !hasChannel,
      unshared: hasChannel ? this.held.unsharedSize : 0,
    };
  }

  /** Begins to read the channel, if there is one. Resolves when it has caught up, and after `maxWaitMs` at the latest. */
  async start(maxWaitMs: number): Promise<void> {
    const { revocationChannel } = this.options;
    if (revocationChannel === undefined || this.#channel !== undefined) return;
    this.#state = 'reading';
    const caughtUp = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#channel = revocationChannel.connect(this.#context, this);
    await Promise.race([caughtUp, this.#pause(maxWaitMs)]);
    if (!this.#hasCaughtUp)
      this.log.error('The revocation channel has not been read yet: this replica is not ready', {});
  }

  /** Appends what is left for a second at most, then ends. Does not reject. */
  async stop(): Promise<void> {
    if (this.#channel === undefined) return;
    await Promise.race([this.#appending, sleep(LAST_WORDS_MS, undefined, { ref: false })]);
    this.#closing.abort();
    const { unshared } = this.status;
    if (unshared > 0) this.log.error('Denials were not shared: they end with this process', { unshared });
    await this.#channel.close();
  }

  received(revocation: SharedRevocation, channelAgeSeconds: number): void {
    const { at } = revocation;
    const ageSeconds = Math.max(0, this.clock.epochSeconds() - at, channelAgeSeconds);
    if (revocation.kind === 'denial') this.held.receive(revocation.denial, at, ageSeconds);
    else if (revocation.kind === 'floor') this.held.raiseFloor(at);
    else if (ageSeconds < this.options.introspectionTtlSeconds + SKEW_SECONDS) this.#receiveRecheck(revocation.recheck);
  }

  caughtUp(): void {
    if (this.#state === 'lost') this.log.log('The revocation channel is read again', {});
    this.#state = 'caught_up';
    this.#hasCaughtUp = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.#appendSoon(this.#isAfterGap ? Math.random() * SPREAD_MS : 0);
    this.#isAfterGap = false;
  }

  /**
   * What was missed is in force at the authorization server, or held by the replica that denied it, which appends it anew. Until then an answer
   * serves for `introspectionTtlSeconds`, as without a channel.
   */
  gap(reason: string): void {
    const nowMs = this.clock.monotonicMs();
    if (nowMs >= this.#gapLoggedMs + WARNING_PAUSE_MS) {
      this.#gapLoggedMs = nowMs;
      const words = 'The revocation channel has a gap: it is read anew, and what is held here is appended again';
      this.log.error(words, { reason });
    }
    this.#state = 'reading';
    this.#gaps += 1;
    this.held.markAllUnshared();
    this.#isAfterGap = true;
  }

  lost(reason: string): void {
    if (this.#state === 'lost') return;
    this.#state = 'lost';
    const words =
      "The revocation channel can't be read: denials of other replicas come later, answers serve as long as without it";
    this.log.error(words, { reason });
  }

  #receiveRecheck(recheck: Recheck): void {
    this.#isReceiving = true;
    try {
      this.rechecks.require(recheck);
    } finally {
      this.#isReceiving = false;
    }
  }

  #addRecheck(recheck: Recheck): void {
    if (this.options.revocationChannel === undefined || this.#isReceiving) return;
    const at = this.clock.epochSeconds();
    this.#toAppend.push({ kind: 'recheck', recheck, at });
    if (this.#toAppend.length > MAX_RECHECKS) this.#toAppend = [{ kind: 'recheck', recheck: 'everything', at }];
    this.#appendSoon();
  }

  #appendSoon(delayMs = 0): void {
    if (this.#state !== 'caught_up' || this.#closing.signal.aborted || !this.#hasMore()) return;
    this.#appending ??= this.#appendAll(delayMs).finally(() => {
      this.#appending = undefined;
      // What came between the last look and now.
      this.#appendSoon();
    });
  }

  #hasMore(): boolean {
    return this.#toAppend.length > 0 || this.held.unshared(1).length > 0;
  }

  /** Until nothing is left, or the channel is lost. */
  async #appendAll(delayMs: number): Promise<void> {
    if (delayMs > 0) await this.#pause(delayMs);
    while (this.#state === 'caught_up' && !this.#closing.signal.aborted && this.#hasMore()) {
      const taken = await this.#append(this.held.unshared(BATCH), this.#toAppend.slice(0, BATCH));
      if (!taken) await this.#pause(this.#pauseMs());
    }
  }

  async #append(denials: readonly HeldDenial[], rechecks: readonly SharedRevocation[]): Promise<boolean> {
    const shared = denials.map(({ kind, key, issuedBefore, deniedAt }): SharedRevocation => ({
      kind: 'denial',
      denial: { kind, key, issuedBefore },
      at: deniedAt,
    }));
    const gaps = this.#gaps;
    try {
      await this.#channel?.append([...shared, ...rechecks]);
    } catch (error) {
      this.#failures += 1;
      const reason = error instanceof Error ? error.message : 'unknown';
      if (this.#failures === 1)
        this.log.error("Denials can't be shared: other replicas do not know of them yet", { reason });
      return false;
    }
    if (this.#failures > 0) this.log.log('Denials are shared again', {});
    this.#failures = 0;
    // What was taken before a gap may have gone with it.
    if (gaps !== this.#gaps) return true;
    this.held.markShared(denials);
    this.#toAppend = this.#toAppend.filter((one) => !rechecks.includes(one));
    return true;
  }

  /** With full jitter. */
  #pauseMs(): number {
    return Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
  }

  /** Ends early when the process ends. */
  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closing.signal, ref: false }).catch(() => undefined);
  }
}
