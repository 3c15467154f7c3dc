/** The server's time, which determines `exp`, `iat`, sessions and revocations. */
export class AdjustableClock {
  private aheadSeconds = 0;

  /** Returns whole seconds since 1970, as in a token's `exp`. */
  now(): number {
    return Math.floor(this.nowMs() / 1000);
  }

  /** Returns milliseconds since 1970. */
  nowMs(): number {
    return Date.now() + this.aheadSeconds * 1000;
  }

  /**
   * Moves only the server's clock forward, by whole seconds: a client that checks `iat` by its own clock sees tokens
   * from the future.
   */
  advance(seconds: number): void {
    if (!Number.isInteger(seconds) || seconds < 0) throw new RangeError('advance() takes whole seconds, 0 or more');
    this.aheadSeconds += seconds;
  }

  /** Sets the clock whole seconds ahead of the clock of this process, or behind it if negative. */
  setAhead(seconds: number): void {
    if (!Number.isInteger(seconds)) throw new RangeError('setAhead() takes whole seconds');
    this.aheadSeconds = seconds;
  }
}
