/** Revocation appends: brings the denials and rechecks of this replica to the channel, until it has taken all of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sharedFault } from '../caching/shared-fault.js';
import type { HeldDenials } from './held-denials.js';
import type { ConnectedRevocationChannel, SharedRevocation } from './revocation-channel.js';
import type { SharedRechecks } from './shared-rechecks.js';
import type { HeldDenial } from './unshared-denials.js';

export interface SharingLog {
  log(message: string, fields: object): void;
  error(message: string, fields: object): void;
}

/** Appended at once. */
const BATCH = 100;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** After a gap every replica appends what it holds and did not receive; it tries that again so soon when others append. */
const REPEAT_PAUSE_MS = 20;

export class RevocationAppends {
  #appending: Promise<void> | undefined;
  #failures = 0;
  #breaks = 0;

  constructor(
    private readonly held: HeldDenials,
    private readonly rechecks: SharedRechecks | undefined,
    /** Undefined while nothing is to be appended. */
    private readonly channel: () => ConnectedRevocationChannel | undefined,
    private readonly log: SharingLog,
    /** Aborted when the process ends. */
    private readonly closing: AbortSignal,
  ) {}

  /** Whether the channel took the last ones. */
  get isTaking(): boolean {
    return this.#failures === 0;
  }

  /** Whether the channel has taken all of them, and all have been read from it: it may have lost what it took, or somebody may have taken it out. */
  get areAllRead(): boolean {
    return this.held.areAllRead && this.rechecks?.areAllRead !== false;
  }

  /** Appends what there is, unless that is under way. */
  soon(): void {
    if (!this.#canAppend()) return;
    this.#appending ??= this.#appendAll().finally(() => {
      this.#appending = undefined;
      // What came between the last look and now.
      this.soon();
    });
  }

  /** Resolves when what is under way has been appended. Does not reject. */
  async underWay(): Promise<void> {
    await this.#appending;
  }

  /** What the channel is taking now may be lost: it is appended once more. */
  interrupt(): void {
    this.#breaks += 1;
  }

  /** There is a gap: the channel may have lost all that it took. */
  markAllToRepeat(): void {
    this.interrupt();
    this.held.markAllToRepeat();
    this.rechecks?.markAllToRepeat();
  }

  /** What the channel took and was not read from it is to be appended once more. */
  markUnreadFresh(): void {
    this.held.unshared.markUnreadFresh();
    this.rechecks?.markUnreadFresh();
  }

  #canAppend(): boolean {
    return this.channel() !== undefined && !this.closing.aborted && this.#hasMore();
  }

  #hasMore(): boolean {
    const { held } = this;
    return (
      (this.rechecks?.toAppend().length ?? 0) > 0 ||
      held.unshared.toAppendSize > 0 ||
      held.floorToShare('fresh') !== undefined ||
      held.floorToShare('repeat') !== undefined
    );
  }

  /** Until nothing is left, or the channel is lost. */
  async #appendAll(): Promise<void> {
    while (this.#canAppend()) {
      const pauseMs = (await this.#appendFresh()) ?? (await this.#appendAgain());
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal: this.closing, ref: false }).catch(() => undefined);
    }
  }

  /** What is news comes first. For how long to wait then; undefined where there are none. */
  async #appendFresh(): Promise<number | undefined> {
    const denials = this.held.unshared.fresh(BATCH);
    const floor = this.held.floorToShare('fresh');
    const rechecks = this.rechecks?.toAppend().slice(0, BATCH) ?? [];
    if (denials.length + rechecks.length === 0 && floor === undefined) return undefined;
    return this.#send(
      async (channel) => {
        await channel.append([...sharedOf(denials, floor), ...rechecks]);
        return true;
      },
      () => {
        this.held.markTaken(denials, floor);
        this.rechecks?.markTaken(rechecks);
      },
    );
  }

  async #appendAgain(): Promise<number> {
    const denials = this.held.unshared.toRepeat(BATCH);
    const floor = this.held.floorToShare('repeat');
    if (denials.length === 0 && floor === undefined) return 0;
    return this.#send(
      (channel) => channel.appendAgain(sharedOf(denials, floor)),
      () => this.held.markTaken(denials, floor),
    );
  }

  /** For how long to wait before the next. `onTaken` is called when the channel has taken it, unless that may be lost again. */
  async #send(send: (channel: ConnectedRevocationChannel) => Promise<boolean>, onTaken: () => void): Promise<number> {
    const channel = this.channel();
    if (channel === undefined) return 0;
    const breaks = this.#breaks;
    try {
      const isTaken = await send(channel);
      if (this.#failures > 0) this.log.log('Denials are shared again', {});
      this.#failures = 0;
      if (!isTaken) return Math.random() * REPEAT_PAUSE_MS;
      if (breaks === this.#breaks) onTaken();
      return 0;
    } catch (error) {
      this.#failures += 1;
      const words = "Denials can't be shared: other replicas do not know of them yet";
      if (this.#failures === 1) this.log.error(words, { ...sharedFault(error) });
      return this.#pauseMs();
    }
  }

  /** With full jitter. */
  #pauseMs(): number {
    return Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
  }
}

function sharedOf(denials: readonly HeldDenial[], floor: number | undefined): SharedRevocation[] {
  const shared = denials.map(({ kind, key, issuedBefore, deniedAt }) => ({
    kind: 'denial' as const,
    denial: { kind, key, issuedBefore },
    at: deniedAt,
  }));
  return floor === undefined ? shared : [{ kind: 'floor', at: floor }, ...shared];
}
