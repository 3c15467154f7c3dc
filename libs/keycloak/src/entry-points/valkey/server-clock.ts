/** Server clock: the time of the Valkey server, which is the same for all replicas, as of its last answer. */

/** A server's clock may run slower than this machine's by so much; what is more is a step back. */
const MAX_DRIFT = 0.0005;

/** What is less may be an answer that was late. */
const STEP_MS = 1000;

/** For so long what is noted serves, at most: when the time is by so much later than it was before a step back, all that was noted before is over by the new time, too. */
const NOTES_SERVE_MS = 3_600_000;

/** In ms since the epoch. What is noted by it is never later than the server's time was, and what is judged by it is never younger than it is. */
export class ServerClock {
  /** What is to be added to the monotonic clock. Until the server answers, the machine's own time must do. */
  #offsetMs = Date.now() - performance.now();
  /** The largest one that it had. */
  #latestOffsetMs = -Infinity;
  #learnedAtMs = -Infinity;
  /** The server's time from which on it counts for nothing what that was before the last step back. */
  #forgottenFromMs = Infinity;

  /** Whether the server has told its time. */
  get isLearned(): boolean {
    return this.#learnedAtMs !== -Infinity;
  }

  /** By how much the server has gone back: what is noted now is judged as older by so much. */
  get behindMs(): number {
    return Math.max(0, this.#latestOffsetMs - this.#offsetMs);
  }

  /** `serverMs`: what `TIME` gave; call it as soon as the answer is there. */
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
