/** Shared feed: which replica listens to the authorization server, and how all others learn that it has heard everything. */
import type { Clock } from '../caching/clock.js';
import type { FeedLease, ProofOutcome } from './revocation-channel.js';
import type { RevocationSharing } from './revocation-sharing.js';
import type { HeardStretch, SignalProof } from './signal-proof.js';

/** Without a channel that can say who listens, each replica does for itself, by its own clock. */
export class SharedFeed {
  constructor(
    private readonly sharing: Pick<RevocationSharing, 'proofs' | 'prove'>,
    private readonly signals: Pick<SignalProof, 'prove'>,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
  ) {}

  /** The right to listen, for so long; undefined while another replica has it, and before the channel is read. Rejects where that is not known. */
  async lease(leaseMs: number): Promise<FeedLease | undefined> {
    const { proofs } = this.sharing;
    if (proofs === 'none') return { fencing: 0, grantedAtMs: this.clock.monotonicMs() };
    return proofs?.lease(leaseMs);
  }

  /** Everything was heard in that time, by the clock of the lease. Rejects where it is not certain that the others are told. */
  async prove(lease: FeedLease, heard: HeardStretch): Promise<ProofOutcome> {
    const { proofs } = this.sharing;
    if (proofs === undefined) return 'behind';
    if (proofs !== 'none') return this.sharing.prove(proofs, lease, heard);
    this.signals.prove(heard);
    return 'taken';
  }

  /** Another replica may listen at once. Does not reject: the lease ends by itself, too. */
  async release(): Promise<void> {
    const { proofs } = this.sharing;
    if (typeof proofs === 'object') await proofs.release().catch(() => undefined);
  }
}
