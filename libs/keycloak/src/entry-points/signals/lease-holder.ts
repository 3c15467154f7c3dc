import type { FeedLease } from '../extension/index.js';
import { sharedFault, type ComponentLog, type ComposedIssuer } from '../ports/signals.js';

/** A lease lasts at least three polls; if the poller crashes, other replicas wait for the end of the lease. */
const LEASE_POLLS = 3;
const LEAST_LEASE_MS = 3000;

/**
 * The minimum time between the renewal of a lease and the end of the lease. After a lost lease, the fencing number
 * changes, and events may have been missed.
 */
const MARGIN_MS = 1000;

export class LeaseHolder {
  readonly renewWithinMs: number;
  readonly #leaseMs: number;
  #isListening = false;
  #isSaidToListen: boolean | undefined;
  #refusedFor: string | undefined;

  constructor(
    private readonly feed: Pick<ComposedIssuer['feed'], 'lease' | 'release'>,
    private readonly log: ComponentLog,
    pollMs: number,
  ) {
    this.#leaseMs = Math.max(LEAST_LEASE_MS, LEASE_POLLS * pollMs);
    this.renewWithinMs = this.#leaseMs - MARGIN_MS;
  }

  /**
   * Returns `unknown` if the channel is unavailable and this process had the last lease. With an `unknown` lease, this
   * process applies events but sends no proofs.
   */
  async lease(): Promise<FeedLease | 'unknown' | undefined> {
    let lease: FeedLease | 'unknown' | undefined;
    try {
      lease = await this.feed.lease(this.#leaseMs);
    } catch (error) {
      this.refused(error);
      lease = this.#isListening ? 'unknown' : undefined;
    }
    this.#isListening = lease !== undefined;
    if (!this.#isListening) this.#say(false);
    return lease;
  }

  /** The log line follows an accepted proof, because an unhealthy feed would log each change of the lease. */
  accepted(): void {
    this.#refusedFor = undefined;
    this.#say(true);
  }

  refused(error: unknown): void {
    const { reason, hint } = sharedFault(error);
    if (hint === undefined || hint === this.#refusedFor) return;
    this.#refusedFor = hint;
    this.log.error("This process can't poll for the other services, because the revocation channel refuses it", {
      reason,
      hint,
    });
  }

  async release(): Promise<void> {
    if (this.#isListening) await this.feed.release();
  }

  #say(isThis: boolean): void {
    if (isThis && this.#isSaidToListen === false) this.log.log('This replica polls for revocations', {});
    if (!isThis && this.#isSaidToListen === true) this.log.log('Another replica polls for revocations', {});
    this.#isSaidToListen = isThis;
  }
}
