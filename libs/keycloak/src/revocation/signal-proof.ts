import type { Clock } from '../caching/clock.js';

/** A period in which a poller received every revocation; `sinceMs` and `untilMs` are by the same clock. */
export interface ReceivedPeriod {
  readonly sinceMs: number;
  readonly untilMs: number;
}

interface Stretch {
  readonly receivedSinceMs: number;
  /** The time since which this process has read every revocation. */
  readonly coveredSinceMs: number;
  readonly healthyUntilMs: number;
}

const NONE: Stretch = { receivedSinceMs: Infinity, coveredSinceMs: Infinity, healthyUntilMs: -Infinity };

/** Proofs never grant access. If proofs are missing, cached results expire early, as if no feed existed. */
export class SignalProof {
  #current = NONE;
  /**
   * The last proof before a gap of the feed. Results that are older than the gap stay usable by it. Otherwise a gap
   * would cause many simultaneous introspections.
   */
  #earlier = NONE;
  #isFollowed = false;
  /** Later proofs do not cover introspection results from before the last gap. */
  #gapMs = -Infinity;
  readonly #onGap: (() => void)[] = [];
  readonly #onBegun: ((sinceMs: number) => void)[] = [];

  constructor(
    private readonly clock: Pick<Clock, 'monotonicMs'>,
    /** Whether denials of other replicas arrive; without these denials, this process ignores proofs. */
    private readonly receivesOthers: () => boolean = () => true,
  ) {}

  /**
   * Returns the time until which proofs cover an introspection result, or `-Infinity` if no proof covers the result.
   */
  healthyUntilMs(askedAtMs: number): number {
    if (askedAtMs >= this.#current.coveredSinceMs) return this.#current.healthyUntilMs;
    return askedAtMs >= this.#earlier.coveredSinceMs ? this.#earlier.healthyUntilMs : -Infinity;
  }

  follow(): boolean {
    if (this.#isFollowed) return false;
    return (this.#isFollowed = true);
  }

  get isFollowed(): boolean {
    return this.#isFollowed || this.latestMs !== -Infinity;
  }

  get latestMs(): number {
    return Math.max(this.#current.healthyUntilMs, this.#earlier.healthyUntilMs);
  }

  hasRecentGap(sinceMs: number): boolean {
    return this.#earlier !== NONE && this.#current.coveredSinceMs > sinceMs;
  }

  /** The time since which a poller has received every revocation; `Infinity` means that no proof exists. */
  get receivedSinceMs(): number {
    return this.#current.receivedSinceMs;
  }

  prove({ sinceMs, untilMs }: ReceivedPeriod): void {
    if (!this.receivesOthers()) return;
    if (this.#current !== NONE && sinceMs > this.#current.healthyUntilMs) this.interrupt();
    // An older proof that arrives after a gap does not end the gap.
    if (untilMs <= this.#gapMs || untilMs <= this.#current.healthyUntilMs) return;
    if (this.#current === NONE) {
      this.#current = { receivedSinceMs: sinceMs, coveredSinceMs: untilMs, healthyUntilMs: untilMs };
      for (const listener of this.#onBegun) listener(sinceMs);
    } else this.#current = { ...this.#current, healthyUntilMs: untilMs };
  }

  interrupt(): void {
    this.#gapMs = this.clock.monotonicMs();
    if (this.#current !== NONE) this.#earlier = this.#current;
    this.#current = NONE;
    for (const listener of this.#onGap) listener();
  }

  onGap(listener: () => void): void {
    this.#onGap.push(listener);
  }

  /**
   * Calls `listener` with `sinceMs` when a healthy period begins. Before the monotonic time `sinceMs`, every replica
   * may have missed revocations.
   */
  onBegun(listener: (sinceMs: number) => void): void {
    this.#onBegun.push(listener);
  }
}
