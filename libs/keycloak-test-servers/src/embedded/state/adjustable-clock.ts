/** The server's time, which determines `exp`, `iat`, sessions and revocations. */
export class AdjustableClock {
  private aheadSeconds = 0;

  /** Returns the time in whole seconds since 1970, as in `exp` of a token. */
  now(): number {
    return Math.floor(this.nowMs() / 1000);
  }

  /** Returns the time in milliseconds since 1970. */
  nowMs(): number {
    return Date.now() + this.aheadSeconds * 1000;
  }

  /**
   * Moves only the server's clock forward, by whole seconds. A client that checks `iat` then sees tokens from the
   * future.
   */
  advance(seconds: number): void {
    if (!Number.isInteger(seconds) || seconds < 0) throw new RangeError('advance() takes whole seconds, 0 or more');
    this.aheadSeconds += seconds;
  }

  /** Sets the server's clock to this process's clock plus whole seconds (also negative). */
  setAhead(seconds: number): void {
    if (!Number.isInteger(seconds)) throw new RangeError('setAhead() takes whole seconds');
    this.aheadSeconds = seconds;
  }
}
