export class StillClock {
  /** Holds the seconds since 1970; a test may set `date` to an earlier time. */
  date = 1_700_000_000;
  #elapsedMs = 5000;

  readonly epochSeconds = (): number => this.date;
  readonly monotonicMs = (): number => this.#elapsedMs;

  advance(seconds: number): void {
    this.date += seconds;
    this.#elapsedMs += seconds * 1000;
  }
}
