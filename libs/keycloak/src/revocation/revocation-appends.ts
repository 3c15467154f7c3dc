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

const BATCH = 100;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/**
 * All replicas append missing entries after a gap, so each replica repeats an attempt after a random part of this time.
 */
const REPEAT_PAUSE_MS = 20;

export class RevocationAppends {
  #appending: Promise<void> | undefined;
  #failures = 0;
  #breaks = 0;

  constructor(
    private readonly held: HeldDenials,
    private readonly rechecks: SharedRechecks | undefined,
    private readonly channel: () => ConnectedRevocationChannel | undefined,
    private readonly log: SharingLog,
    private readonly closing: AbortSignal,
  ) {}

  get isTaking(): boolean {
    return this.#failures === 0;
  }

  /** Whether this replica has read back all entries that it appended; the channel may lose accepted entries. */
  get areAllRead(): boolean {
    return this.held.areAllRead && this.rechecks?.areAllRead !== false;
  }

  soon(): void {
    if (!this.#canAppend()) return;
    this.#appending ??= this.#appendAll().finally(() => {
      this.#appending = undefined;
      this.soon();
    });
  }

  async underWay(): Promise<void> {
    await this.#appending;
  }

  /** Makes the replica append the current entries again, because the channel may have lost the entries. */
  interrupt(): void {
    this.#breaks += 1;
  }

  markAllToRepeat(): void {
    this.interrupt();
    this.held.markAllToRepeat();
    this.rechecks?.markAllToRepeat();
  }

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

  async #appendAll(): Promise<void> {
    while (this.#canAppend()) {
      const pauseMs = (await this.#appendFresh()) ?? (await this.#appendAgain());
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal: this.closing, ref: false }).catch(() => undefined);
    }
  }

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
      const words = "Denials can't be shared. Other replicas do not have them yet";
      if (this.#failures === 1) this.log.error(words, { ...sharedFault(error) });
      return this.#pauseMs();
    }
  }

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
