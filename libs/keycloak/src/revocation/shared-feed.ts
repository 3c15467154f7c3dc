import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../caching/clock.js';
import type { FeedLease, ProofChannel, ProofOutcome } from './revocation-channel.js';
import type { RevocationSharing } from './revocation-sharing.js';
import type { ReceivedPeriod, SignalProof } from './signal-proof.js';

export interface FeedFault {
  readonly reason: string;
  readonly hint?: string | undefined;
}

export interface FeedSource {
  readonly name: string;
  readonly clientId: string;
  readonly tryOnce: () => Promise<FeedFault | undefined>;
}

/** A proof must wait until this replica has read its own entries back from the channel. */
const PROOF_TRIES = 20;
const PAUSE_MS = 20;

/** Without a channel that elects a poller, each replica polls for itself and uses its own clock. */
export class SharedFeed {
  readonly #sources: FeedSource[] = [];

  constructor(
    private readonly sharing: Pick<RevocationSharing, 'proofs' | 'hasReadAll' | 'canProve'>,
    private readonly signals: Pick<SignalProof, 'prove'>,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
  ) {}

  get sources(): readonly FeedSource[] {
    return this.#sources;
  }

  add(source: FeedSource): void {
    this.#sources.push(source);
  }

  get canProve(): boolean {
    return this.sharing.canProve;
  }

  async lease(leaseMs: number): Promise<FeedLease | undefined> {
    const { proofs } = this.sharing;
    if (proofs === 'none') return { fencing: 0, grantedAtMs: this.clock.monotonicMs() };
    return proofs?.lease(leaseMs);
  }

  /** The times of `period` are by the same clock as the times of `lease`. */
  async prove(lease: FeedLease, period: ReceivedPeriod): Promise<ProofOutcome> {
    const { proofs } = this.sharing;
    if (proofs === undefined) return 'behind';
    if (proofs !== 'none') return this.#proveToAll(proofs, lease, period);
    this.signals.prove(period);
    return 'taken';
  }

  async #proveToAll(proofs: ProofChannel, lease: FeedLease, period: ReceivedPeriod): Promise<ProofOutcome> {
    for (let tries = 0; tries < PROOF_TRIES; tries += 1) {
      const outcome = this.sharing.hasReadAll ? await proofs.prove(lease, period) : 'behind';
      if (outcome !== 'behind') return outcome;
      await sleep(PAUSE_MS, undefined, { ref: false });
    }
    return 'behind';
  }

  /** Does not reject, because the lease expires anyway. */
  async release(): Promise<void> {
    const { proofs } = this.sharing;
    if (typeof proofs === 'object') await proofs.release().catch(() => undefined);
  }
}
