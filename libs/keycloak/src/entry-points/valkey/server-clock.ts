/** Rate at which the server's clock may fall behind this machine's clock; a faster loss is a step back. */
const MAX_DRIFT = 0.0005;

/** A smaller difference may come from a late answer. */
const STEP_MS = 1000;

/** When the clock is this far past its time before a step back, everything stored before has expired. */
const NOTES_SERVE_MS = 3_600_000;

/**
 * The server's clock, in milliseconds since the epoch. `nowMs()` is never later than the server's time. An age by
 * `latestMs()` is never too small.
 */
export class ServerClock {
  /** Offset to the monotonic clock, by this machine's time until the first answer of the server. */
  #offsetMs = Date.now() - performance.now();
  #latestOffsetMs = -Infinity;
  #learnedAtMs = -Infinity;
  /** Server time from which the clock before the last step back no longer counts. */
  #forgottenFromMs = Infinity;

  get isLearned(): boolean {
    return this.#learnedAtMs !== -Infinity;
  }

  /** How far the server's clock went back: times stored now count as older by this much. */
  get behindMs(): number {
    return Math.max(0, this.#latestOffsetMs - this.#offsetMs);
  }

  /** `serverMs`: the result of `TIME`. Call it as soon as the answer arrives. */
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

  /** Returns the time for storing. */
  nowMs(): number {
    return this.fromMonotonicMs(performance.now());
  }

  /** Returns the time for measuring an age: a wrong server clock can't make an entry look younger. */
  latestMs(): number {
    return Math.max(performance.now() + this.#latestOffsetMs, this.nowMs(), Date.now());
  }

  /** Converts a time of `performance.now()`. */
  fromMonotonicMs(ms: number): number {
    return ms + this.#offsetMs;
  }
}
