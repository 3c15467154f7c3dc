/** ServerClock: the time of the Valkey server, which is the same for all replicas, as of its last answer. */
import type { SessionClock } from '../session-store.js';

export class ServerClock implements SessionClock {
  /** What is to be added to the monotonic clock. Until the server answers, the machine's own time must do. */
  #offsetMs = Date.now() - performance.now();

  /** An answer takes its time: what is noted is never later than the server's time. */
  learn(serverMs: number): void {
    if (Number.isFinite(serverMs)) this.#offsetMs = serverMs - performance.now();
  }

  nowMs(): number {
    return this.fromMonotonicMs(performance.now());
  }

  /** A server that went back, or lies, makes nothing younger than this machine's clock says. */
  latestMs(): number {
    return Math.max(this.nowMs(), Date.now());
  }

  fromMonotonicMs(ms: number): number {
    return ms + this.#offsetMs;
  }
}
