/** Longer than Keycloak takes for a logout. */
const INTERVAL_MS = 10_000;

/** Runs `action` later without keeping the process alive, and returns a function that cancels it. */
export type Schedule = (ms: number, action: () => void) => () => void;

const afterMs: Schedule = (ms, action) => {
  const timer = setTimeout(action, ms).unref();
  return () => clearTimeout(timer);
};

/** Spreads the rechecks of several replicas, so that one replica rechecks for all. */
const SPREAD_MS = 1000;

/**
 * While Keycloak sends a notice, it still reports the session's tokens as active, so another recheck follows when the
 * logout must be complete. Anybody can send such notices, so there is at most one recheck in ten seconds, including the
 * rechecks of other replicas.
 */
export class RepeatedRechecks {
  #due = 0;
  #cancel: (() => void) | undefined;
  #isNext = false;

  constructor(
    private readonly recheck: () => void,
    private readonly schedule: Schedule = afterMs,
    private readonly share: () => number = Math.random,
  ) {}

  require(): void {
    this.#due = 2;
    if (this.#cancel === undefined) this.#make();
  }

  made(): void {
    // A logout that began before the last recheck may not be complete yet.
    if (this.#cancel !== undefined && !this.#isNext) return;
    this.#pause();
  }

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
