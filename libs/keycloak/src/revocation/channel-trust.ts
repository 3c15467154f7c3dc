import type { Clock } from '../caching/clock.js';
import {
  ChannelRefusals,
  NO_REFUSALS,
  type ChannelRefusal,
  type RefusalCounts,
  type RefusalLog,
} from './channel-refusals.js';
import type { ChannelReadability } from './revocation-channel.js';

export interface ChannelTrustStatus {
  /** The number of entries and proofs that this replica can't read. A denial in an unreadable entry has no effect. */
  readonly unreadable: number;
  /** The number of refused entries and proofs since the start, by reason. */
  readonly refused: RefusalCounts;
  /** The number of gaps since the start, by reason. A gap means that this replica may have missed entries. */
  readonly gaps: Readonly<Record<string, number>>;
  /** Why the last proof was refused; absent if the last proof was accepted. */
  readonly proofRefusal?: ChannelRefusal;
}

/**
 * A gap with the reason `entries_not_proven` affects only the proofs. The count starts at 0, so that the metric exists
 * before the first gap.
 */
export const NOT_PROVEN = 'entries_not_proven';

export const NO_CHANNEL: ChannelTrustStatus = { unreadable: 0, refused: NO_REFUSALS, gaps: { [NOT_PROVEN]: 0 } };

export class ChannelTrust {
  #readability: ChannelReadability = { unreadable: 0, hasOpened: false };
  #proofRefusal: ChannelRefusal | undefined;
  readonly #gaps = new Map<string, number>([[NOT_PROVEN, 0]]);
  readonly #refusals: ChannelRefusals;

  constructor(clock: Pick<Clock, 'monotonicMs'>, log: RefusalLog) {
    this.#refusals = new ChannelRefusals(clock, log);
  }

  get status(): ChannelTrustStatus {
    const status = {
      unreadable: this.#readability.unreadable,
      refused: this.#refusals.counts,
      gaps: Object.fromEntries(this.#gaps),
    };
    return this.#proofRefusal === undefined ? status : { ...status, proofRefusal: this.#proofRefusal };
  }

  get hasKeys(): boolean {
    return this.#readability.unreadable === 0 || this.#readability.hasOpened;
  }

  refused(reason: ChannelRefusal): void {
    // Counts `no_public_key` only once, because a process without public keys refuses every proof.
    if (reason !== 'no_public_key' || this.#proofRefusal !== reason) this.#refusals.add(reason);
    if (!reason.startsWith('entry_') && reason !== 'proof_keys_unreadable') this.#proofRefusal = reason;
  }

  gap(reason: string): void {
    this.#gaps.set(reason, (this.#gaps.get(reason) ?? 0) + 1);
  }

  examined(found: ChannelReadability): void {
    this.#readability = found;
  }

  proofAccepted(): void {
    this.#proofRefusal = undefined;
  }
}
