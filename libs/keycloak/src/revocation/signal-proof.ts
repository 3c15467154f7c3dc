/** Signal proof: until when it is known that whatever ended at the authorization server has been heard of here. */

import type { Clock } from '../caching/clock.js';

/** That everything was heard which ended at the authorization server from one time to the other; in milliseconds, both by the same clock. */
export interface HeardStretch {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** Nothing was missed from one time to the other; monotonic, in milliseconds. */
interface Stretch {
  /** Since when all was heard. */
  readonly heardSinceMs: number;
  /** Since when all was read here. */
  readonly coveredSinceMs: number;
  readonly provenUntilMs: number;
}

const NONE: Stretch = { heardSinceMs: Infinity, coveredSinceMs: Infinity, provenUntilMs: -Infinity };

/**
 * Whoever hears of revocations says here until when it has heard of all. It opens nothing: it lets answers that were given serve longer, and once it is silent they serve as long as
 * without it.
 */
export class SignalProof {
  #current = NONE;
  /** Before the last gap: its answers serve until its own proof is too old, so that not all of them are asked for at once. */
  #earlier = NONE;
  #isFollowed = false;
  /** When something may have been missed last: no answer from before is covered by what is proven of later. */
  #gapMs = -Infinity;
  readonly #onGap: (() => void)[] = [];
  readonly #onBegun: ((sinceMs: number) => void)[] = [];

  constructor(
    private readonly clock: Pick<Clock, 'monotonicMs'>,
    /** Whether what other replicas say arrives, too: they may deny what the server knows nothing of. */
    private readonly hearsOthers: () => boolean = () => true,
  ) {}

  /** Until when it is proven of an answer that was asked for at `askedAtMs`; `-Infinity` where it is not. */
  provenUntilMs(askedAtMs: number): number {
    if (askedAtMs >= this.#current.coveredSinceMs) return this.#current.provenUntilMs;
    return askedAtMs >= this.#earlier.coveredSinceMs ? this.#earlier.provenUntilMs : -Infinity;
  }

  /** Somebody in this process listens, and will prove it. False where somebody does already. */
  follow(): boolean {
    if (this.#isFollowed) return false;
    return (this.#isFollowed = true);
  }

  /** Whether somebody listens, here or in another process. */
  get isFollowed(): boolean {
    return this.#isFollowed || this.latestMs !== -Infinity;
  }

  /** When it was proven last. */
  get latestMs(): number {
    return Math.max(this.#current.provenUntilMs, this.#earlier.provenUntilMs);
  }

  /** Whether there was a gap, and nothing that was cached before `sinceMs` (monotonic) is proven. */
  hasRecentGap(sinceMs: number): boolean {
    return this.#earlier !== NONE && this.#current.coveredSinceMs > sinceMs;
  }

  /** Since when all was heard, by whoever did; `Infinity` where nothing is proven. */
  get heardSinceMs(): number {
    return this.#current.heardSinceMs;
  }

  /**
   * Everything that the server had to tell in that time has been denied or is rechecked; by the monotonic clock. What lies between it and the last one was missed: then answers of
   * before are asked for anew.
   */
  prove({ sinceMs, untilMs }: HeardStretch): void {
    if (!this.hearsOthers()) return;
    if (this.#current !== NONE && sinceMs > this.#current.provenUntilMs) this.interrupt();
    // An older one that comes later says nothing of what lies between the two.
    if (untilMs <= this.#gapMs || untilMs <= this.#current.provenUntilMs) return;
    if (this.#current === NONE) {
      this.#current = { heardSinceMs: sinceMs, coveredSinceMs: untilMs, provenUntilMs: untilMs };
      for (const listener of this.#onBegun) listener(sinceMs);
    } else this.#current = { ...this.#current, provenUntilMs: untilMs };
  }

  /** Something may have been missed: answers of before are asked for anew, and it begins anew with the first proof of later. */
  interrupt(): void {
    this.#gapMs = this.clock.monotonicMs();
    if (this.#current !== NONE) this.#earlier = this.#current;
    this.#current = NONE;
    for (const listener of this.#onGap) listener();
  }

  /** Calls `listener` whenever something may have been missed. */
  onGap(listener: () => void): void {
    this.#onGap.push(listener);
  }

  /** Calls `listener` with the first proof of this process, and after each gap: what ended before `sinceMs` (monotonic) may have been missed by everybody, also by who has just started and saw no gap. */
  onBegun(listener: (sinceMs: number) => void): void {
    this.#onBegun.push(listener);
  }
}
