/** RepeatedRechecks: has tokens asked about anew after a notice that could not be verified, however many of those come. */

/** Longer than a logout at Keycloak takes. */
const INTERVAL_MS = 10_000;

/** Does not keep the process alive. Returns what ends it. */
export type Schedule = (ms: number, action: () => void) => () => void;

const afterMs: Schedule = (ms, action) => {
  const timer = setTimeout(action, ms).unref();
  return () => clearTimeout(timer);
};

/** Replicas that wait for the same pause go on one after the other, so that one of them does it for all. */
const SPREAD_MS = 1000;

/**
 * While Keycloak sends a notice it still calls the tokens of the session active. So there is a recheck at once, and another one when the logout must be complete. Anybody can send
 * such notices; yet there is one recheck in ten seconds at most, since each has every token asked about, at all services. One that another replica makes is as good as one of our own.
 */
export class RepeatedRechecks {
  /** How many are still to be made: one as soon as may be, and one an interval later. */
  #due = 0;
  /** Undefined where the next one may be made at once. */
  #cancel: (() => void) | undefined;
  /** Whether the pause is over, and the next one only waits for whether another replica makes it. */
  #isNext = false;

  constructor(
    private readonly recheck: () => void,
    private readonly schedule: Schedule = afterMs,
    /** From 0 to 1: which of several replicas goes first. */
    private readonly share: () => number = Math.random,
  ) {}

  require(): void {
    this.#due = 2;
    if (this.#cancel === undefined) this.#make();
  }

  /** One was made just now, here or by another replica. */
  made(): void {
    // Too early for a logout that was under way at the last one to be complete.
    if (this.#cancel !== undefined && !this.#isNext) return;
    this.#pause();
  }

  /** Makes no more of them. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#due = 0;
  }

  #make(): void {
    this.#pause();
    this.recheck();
  }

  #pause(): void {
    this.#cancel?.();
    this.#isNext = false;
    this.#due = Math.max(0, this.#due - 1);
    this.#cancel = this.schedule(INTERVAL_MS, () => this.#next());
  }

  #next(): void {
    this.#cancel = undefined;
    if (this.#due === 0) return;
    this.#isNext = true;
    this.#cancel = this.schedule(this.share() * SPREAD_MS, () => this.#make());
  }
}
