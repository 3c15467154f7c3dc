/** Shared feed: which replica listens to the authorization server, and how all others learn that it has heard everything. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../caching/clock.js';
import type { FeedLease, ProofChannel, ProofOutcome } from './revocation-channel.js';
import type { RevocationSharing } from './revocation-sharing.js';
import type { HeardStretch, SignalProof } from './signal-proof.js';

/** Why revocations can't be heard of, for an operator. */
export interface FeedFault {
  readonly reason: string;
  readonly hint?: string | undefined;
}

/** Where this process hears of revocations, for doctor. */
export interface FeedSource {
  /** One word. */
  readonly name: string;
  /** In whose name. */
  readonly clientId: string;
  /** Tries whether they would be heard of. It changes nothing at the server. Undefined where they would. */
  readonly tryOnce: () => Promise<FeedFault | undefined>;
}

/** A proof goes out when all that was heard has come back; it is tried so often. */
const PROOF_TRIES = 20;
const PAUSE_MS = 20;

/** Without a channel that can say who listens, each replica does for itself, by its own clock. */
export class SharedFeed {
  readonly #sources: FeedSource[] = [];

  constructor(
    private readonly sharing: Pick<RevocationSharing, 'proofs' | 'hasReadAll' | 'canProve'>,
    private readonly signals: Pick<SignalProof, 'prove'>,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
  ) {}

  /** Of the feed of this process; none where it only hears of what others say. */
  get sources(): readonly FeedSource[] {
    return this.#sources;
  }

  add(source: FeedSource): void {
    this.#sources.push(source);
  }

  /** Whether others could verify what this process proves. */
  get canProve(): boolean {
    return this.sharing.canProve;
  }

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
    if (proofs !== 'none') return this.#proveToAll(proofs, lease, heard);
    this.signals.prove(heard);
    return 'taken';
  }

  /** When all that this replica has to say has come back from the channel. */
  async #proveToAll(proofs: ProofChannel, lease: FeedLease, heard: HeardStretch): Promise<ProofOutcome> {
    for (let tries = 0; tries < PROOF_TRIES; tries += 1) {
      const outcome = this.sharing.hasReadAll ? await proofs.prove(lease, heard) : 'behind';
      if (outcome !== 'behind') return outcome;
      await sleep(PAUSE_MS, undefined, { ref: false });
    }
    return 'behind';
  }

  /** Another replica may listen at once. Does not reject: the lease ends by itself, too. */
  async release(): Promise<void> {
    const { proofs } = this.sharing;
    if (typeof proofs === 'object') await proofs.release().catch(() => undefined);
  }
}
