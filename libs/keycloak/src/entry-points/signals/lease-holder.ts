/** Lease holder: whether this replica listens for all of them, and the line in the log when that changes. */
import type { FeedLease } from '../extension/index.js';
import { sharedFault, type ComponentLog, type ComposedIssuer } from '../ports/signals.js';

/** A replica that ends without a word keeps the others waiting for no longer. */
const LEASE_POLLS = 3;
const LEAST_LEASE_MS = 3000;

/** So long before its end a lease is asked for again: with another number something may have been missed. */
const MARGIN_MS = 1000;

export class LeaseHolder {
  /** From one request for the lease to the next, at most. */
  readonly renewWithinMs: number;
  readonly #leaseMs: number;
  /** Whether this process had the lease last. */
  #isListening = false;
  /** The same as the log has it. */
  #isSaidToListen: boolean | undefined;
  /** The hint of the refusal that was logged last. */
  #refusedFor: string | undefined;

  constructor(
    private readonly feed: Pick<ComposedIssuer['feed'], 'lease' | 'release'>,
    private readonly log: ComponentLog,
    pollMs: number,
  ) {
    this.#leaseMs = Math.max(LEAST_LEASE_MS, LEASE_POLLS * pollMs);
    this.renewWithinMs = this.#leaseMs - MARGIN_MS;
  }

  /** Undefined while another replica listens. Who does not know it goes on if it was the one: what it hears is refused here, and proves nothing. */
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

  /** It listens when it has proven something: while the server is away, the lease goes from one to the other. */
  proven(): void {
    this.#refusedFor = undefined;
    this.#say(true);
  }

  /** Logs that the channel refuses this process a right. An unavailable channel is in the log already. */
  refused(error: unknown): void {
    const { reason, hint } = sharedFault(error);
    if (hint === undefined || hint === this.#refusedFor) return;
    this.#refusedFor = hint;
    this.log.error("This process can't poll for the other services: the revocation channel refuses it", {
      reason,
      hint,
    });
  }

  /** So that another replica need not wait for its end. */
  async release(): Promise<void> {
    if (this.#isListening) await this.feed.release();
  }

  /** The first to listen is no change. */
  #say(isThis: boolean): void {
    if (isThis && this.#isSaidToListen === false) this.log.log('This replica listens to revocations', {});
    if (!isThis && this.#isSaidToListen === true) this.log.log('Another replica listens to revocations', {});
    this.#isSaidToListen = isThis;
  }
}
