/** StillClock: a wall clock and a monotonic clock that a test moves. */

export class StillClock {
  /** The wall clock, in seconds since 1970; a test may set it back. */
  date = 1_700_000_000;
  #elapsedMs = 5000;

  readonly epochSeconds = (): number => this.date;
  readonly monotonicMs = (): number => this.#elapsedMs;

  /** Moves both clocks, as on a machine whose clock is not adjusted. */
  advance(seconds: number): void {
    this.date += seconds;
    this.#elapsedMs += seconds * 1000;
  }
}
