/** The fraction by which the server's clock may run slower than this machine's monotonic clock. */
const MAX_DRIFT = 0.0005;

/** A late answer lowers the offset by less than a second; a larger fall means that the server's clock was set back. */
const STEP_MS = 1000;

/** The time after which introspection results from before a set-back of the clock have expired. */
const NOTES_SERVE_MS = 3_600_000;

/**
 * The server's clock, in milliseconds since the epoch. `nowMs()` is never later than the server's time. To compute an
 * age, use `latestMs()`: the result is at least the true age.
 */
export class ServerClock {
  /** The monotonic time plus this offset is the server's time, or this machine's time before the first answer. */
  #offsetMs = Date.now() - performance.now();
  #latestOffsetMs = -Infinity;
  #learnedAtMs = -Infinity;
  /** The server time at which `learn()` forgets the offset from before the clock was last set back. */
  #forgottenFromMs = Infinity;

  get isLearned(): boolean {
    return this.#learnedAtMs !== -Infinity;
  }

  /** The time by which the server's clock was set back: an entry that is stored now looks older by this time. */
  get behindMs(): number {
    return Math.max(0, this.#latestOffsetMs - this.#offsetMs);
  }

  /** Learns the server's time from `serverMs`, the result of `TIME`. Call this method as soon as the answer arrives. */
  learn(serverMs: number): void {
    if (!Number.isFinite(serverMs)) return;
    const nowMs = performance.now();
    const offsetMs = serverMs - nowMs;
    const drift = this.isLearned ? (nowMs - this.#learnedAtMs) * MAX_DRIFT : 0;
    const latestMs = this.#latestOffsetMs - drift;
    if (this.isLearned && offsetMs < this.#offsetMs - STEP_MS)
      this.#forgottenFromMs = nowMs + latestMs + NOTES_SERVE_MS;
    const isForgotten = offsetMs >= latestMs || serverMs >= this.#forgottenFromMs;
    this.#latestOffsetMs = isForgotten ? offsetMs : latestMs;
    this.#offsetMs = offsetMs;
    this.#learnedAtMs = nowMs;
  }

  nowMs(): number {
    return this.fromMonotonicMs(performance.now());
  }

  latestMs(): number {
    return Math.max(performance.now() + this.#latestOffsetMs, this.nowMs(), Date.now());
  }

  fromMonotonicMs(ms: number): number {
    return ms + this.#offsetMs;
  }
}
