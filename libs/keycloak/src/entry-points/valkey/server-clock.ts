/** How much slower than this machine's clock the server's clock may run; more is a step back. */
const MAX_DRIFT = 0.0005;

/** A smaller difference may come from a late answer. */
const STEP_MS = 1000;

/** If the clock is ahead of its time before a step back by this much, everything stored before has expired. */
const NOTES_SERVE_MS = 3_600_000;

/**
 * In milliseconds since the epoch. A time stored with this clock is never later than the server's time was. An age
 * measured with it is never too small.
 */
export class ServerClock {
  /** Offset to the monotonic clock; by this machine's own time until the server answers. */
  #offsetMs = Date.now() - performance.now();
  #latestOffsetMs = -Infinity;
  #learnedAtMs = -Infinity;
  /** From this server time on, the time before the last step back no longer counts. */
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

  /** For storing a time. */
  nowMs(): number {
    return this.fromMonotonicMs(performance.now());
  }

  /** For measuring an age: a server whose clock goes back or is wrong can't make an entry look younger. */
  latestMs(): number {
    return Math.max(performance.now() + this.#latestOffsetMs, this.nowMs(), Date.now());
  }

  /** Converts a time of `performance.now()`. */
  fromMonotonicMs(ms: number): number {
    return ms + this.#offsetMs;
  }
}
