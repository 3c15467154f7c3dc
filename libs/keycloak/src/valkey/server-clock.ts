/** Server clock: the time of the Valkey server, which is the same for all replicas, as of its last answer. */

/** In ms since the epoch. What is noted by it is never later than the server's time was, and what is judged by it is never younger than it is. */
export class ServerClock {
  /** What is to be added to the monotonic clock. Until the server answers, the machine's own time must do. */
  #offsetMs = Date.now() - performance.now();

  /** `serverMs`: what `TIME` gave; call it as soon as the answer is there. */
  learn(serverMs: number): void {
    if (Number.isFinite(serverMs)) this.#offsetMs = serverMs - performance.now();
  }

  /** For what is noted. */
  nowMs(): number {
    return this.fromMonotonicMs(performance.now());
  }

  /** For judging an age. A server that went back, or lies, makes nothing younger than this machine's clock says. */
  latestMs(): number {
    return Math.max(this.nowMs(), Date.now());
  }

  /** What a time of `performance.now()` is on this clock. */
  fromMonotonicMs(ms: number): number {
    return ms + this.#offsetMs;
  }
}
