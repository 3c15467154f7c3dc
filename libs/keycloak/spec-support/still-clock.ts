/** StillClock: time that stands still until a test moves it, the date apart from the time that only grows. */

export class StillClock {
  /** The machine's date, in seconds since 1970; it may be set back. */
  date = 1_700_000_000;
  #elapsedMs = 5000;

  readonly epochSeconds = (): number => this.date;
  readonly monotonicMs = (): number => this.#elapsedMs;

  /** Both go on together, as they do on a machine that nobody tampers with. */
  advance(seconds: number): void {
    this.date += seconds;
    this.#elapsedMs += seconds * 1000;
  }
}
