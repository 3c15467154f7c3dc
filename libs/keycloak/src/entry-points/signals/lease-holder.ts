import type { FeedLease } from '../extension/index.js';
import { sharedFault, type ComponentLog, type ComposedIssuer } from '../ports/signals.js';

/** If the poller crashes, the other replicas wait for three polls, and for at least three seconds. */
const LEASE_POLLS = 3;
const LEAST_LEASE_MS = 3000;

/** A lease is renewed this early, because after a change of the fencing number events may have been missed. */
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
   * `unknown`: the channel can't be asked and this process had the lease last, so it applies events, but proves
   * nothing.
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

  /**
   * Only a proof makes this replica the poller in the log: while the server is unreachable, the lease moves between
   * replicas.
   */
  proven(): void {
    this.#refusedFor = undefined;
    this.#say(true);
  }

  refused(error: unknown): void {
    const { reason, hint } = sharedFault(error);
    if (hint === undefined || hint === this.#refusedFor) return;
    this.#refusedFor = hint;
    this.log.error("This process can't poll for the other services: the revocation channel refuses it", {
      reason,
      hint,
    });
  }

  async release(): Promise<void> {
    if (this.#isListening) await this.feed.release();
  }

  #say(isThis: boolean): void {
    if (isThis && this.#isSaidToListen === false) this.log.log('This replica listens to revocations', {});
    if (!isThis && this.#isSaidToListen === true) this.log.log('Another replica listens to revocations', {});
    this.#isSaidToListen = isThis;
  }
}
