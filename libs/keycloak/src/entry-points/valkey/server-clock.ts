/**
 * The highest normal rate at which the server's clock falls behind this machine's clock; a set-back clock exceeds the
 * rate.
 */
const MAX_DRIFT = 0.0005;

/** A larger loss of time means that the server's clock was set back; a late answer may cause a smaller loss. */
const STEP_MS = 1000;

/**
 * The longest lifetime of introspection results; after this time, all results from before a set-back of the clock have
 * expired.
 */
const NOTES_SERVE_MS = 3_600_000;

/**
 * The server's clock, in milliseconds since the epoch. `nowMs()` is never later than the server's time. To compute an
 * age, use `latestMs()`: the result is at least the true age.
 */
export class ServerClock {
  /**
   * The offset of the server's clock to the monotonic clock, computed from this machine's clock until the server's
   * first answer.
   */
  #offsetMs = Date.now() - performance.now();
  #latestOffsetMs = -Infinity;
  #learnedAtMs = -Infinity;
  /** The server's time at which the offset from before the last set-back of the clock is forgotten. */
  #forgottenFromMs = Infinity;

  get isLearned(): boolean {
    return this.#learnedAtMs !== -Infinity;
  }

  /** The time by which the server's clock was set back; an entry that is stored now looks older by this time. */
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

  /** Returns the time to store in an entry. */
  nowMs(): number {
    return this.fromMonotonicMs(performance.now());
  }

  /** Returns the time for computing an age, so that a wrong server clock can't make an entry look younger. */
  latestMs(): number {
    return Math.max(performance.now() + this.#latestOffsetMs, this.nowMs(), Date.now());
  }

  /** Converts a time of `performance.now()` to the server's time. */
  fromMonotonicMs(ms: number): number {
    return ms + this.#offsetMs;
  }
}
