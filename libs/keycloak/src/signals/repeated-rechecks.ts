/** RepeatedRechecks: has tokens asked about anew after a notice that could not be verified, however many of those come. */

/** Longer than a logout at Keycloak takes. */
const INTERVAL_MS = 10_000;

/** Does not keep the process alive. Returns what ends it. */
export type Schedule = (ms: number, action: () => void) => () => void;

const afterMs: Schedule = (ms, action) => {
  const timer = setTimeout(action, ms).unref();
  return () => clearTimeout(timer);
};

/**
 * While Keycloak sends a notice it still calls the tokens of the session active. So there is a recheck at once, and another one when the logout must be complete. Anybody can send
 * such notices; yet there is one recheck in ten seconds at most, since each has every token asked about.
 */
export class RepeatedRechecks {
  /** How many are still to be made: one as soon as may be, and one an interval later. */
  #due = 0;
  #cancel: (() => void) | undefined;

  constructor(
    private readonly recheck: () => void,
    private readonly schedule: Schedule = afterMs,
  ) {}

  require(): void {
    this.#due = 2;
    if (this.#cancel === undefined) this.#next();
  }

  /** Makes no more of them. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #next(): void {
    this.#cancel = undefined;
    if (this.#due === 0) return;
    this.#due -= 1;
    this.#cancel = this.schedule(INTERVAL_MS, () => this.#next());
    this.recheck();
  }
}
