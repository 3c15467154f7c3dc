/** Server clock: the time of the Valkey server, which is the same for all replicas, as of its last answer. */

/** A server's clock may run slower than this machine's by so much; what is more is a step back. */
const MAX_DRIFT = 0.0005;

/** In ms since the epoch. What is noted by it is never later than the server's time was, and what is judged by it is never younger than it is. */
export class ServerClock {
  /** What is to be added to the monotonic clock. Until the server answers, the machine's own time must do. */
  #offsetMs = Date.now() - performance.now();
  /** The largest one that it had. */
  #latestOffsetMs = -Infinity;
  #learnedAtMs = -Infinity;

  /** Whether the server has told its time. */
  get isLearned(): boolean {
    return this.#learnedAtMs !== -Infinity;
  }

  /** `serverMs`: what `TIME` gave; call it as soon as the answer is there. */
  learn(serverMs: number): void {
    if (!Number.isFinite(serverMs)) return;
    const nowMs = performance.now();
    this.#offsetMs = serverMs - nowMs;
    const drift = this.isLearned ? (nowMs - this.#learnedAtMs) * MAX_DRIFT : 0;
    this.#latestOffsetMs = Math.max(this.#offsetMs, this.#latestOffsetMs - drift);
    this.#learnedAtMs = nowMs;
  }

  /** For what is noted. */
  nowMs(): number {
    return this.fromMonotonicMs(performance.now());
  }

  /** For judging an age. A server that went back, or lies, makes nothing younger than it was, or than this machine's clock says. */
  latestMs(): number {
    return Math.max(performance.now() + this.#latestOffsetMs, this.nowMs(), Date.now());
  }

  /** What a time of `performance.now()` is on this clock. */
  fromMonotonicMs(ms: number): number {
    return ms + this.#offsetMs;
  }
}
