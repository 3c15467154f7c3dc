/** A clock that runs with the machine's, ahead of it or behind by as much as a test wants. */

/** What the server takes for the time: `exp`, `iat`, sessions and revocations all go by it. */
export class AdjustableClock {
  private aheadSeconds = 0;

  /** Seconds since 1970, a whole number as in a token's `exp`. */
  now(): number {
    return Math.floor(this.nowMs() / 1000);
  }

  /** The same in milliseconds. */
  nowMs(): number {
    return Date.now() + this.aheadSeconds * 1000;
  }

  /**
   * Moves the server's time on at once, whole seconds only. It does *not* move this process's clock: a client that judges
   * `iat` or `exp` by its own finds tokens issued after this in its future.
   */
  advance(seconds: number): void {
    if (!Number.isInteger(seconds) || seconds < 0) throw new RangeError('A clock advances by whole seconds, not back');
    this.aheadSeconds += seconds;
  }

  /** Sets it to so many seconds ahead of this process's clock, or behind it: back too, as clocks of machines can be set. */
  setAhead(seconds: number): void {
    if (!Number.isInteger(seconds)) throw new RangeError('A clock is set by whole seconds');
    this.aheadSeconds = seconds;
  }
}
