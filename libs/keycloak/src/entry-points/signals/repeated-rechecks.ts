/** The time between two rechecks, which exceeds the duration of a logout in Keycloak. */
const INTERVAL_MS = 10_000;

/** The timer does not keep the process alive. */
export type Schedule = (ms: number, action: () => void) => () => void;

const afterMs: Schedule = (ms, action) => {
  const timer = setTimeout(action, ms).unref();
  return () => clearTimeout(timer);
};

/** The maximum random delay of a recheck: the replica with the shortest delay rechecks for all replicas. */
const SPREAD_MS = 1000;

/**
 * Rechecks all tokens twice after an unverified notice. While Keycloak sends the notice, the session's tokens are still
 * active; the logout is complete before the second recheck. Anybody can send notices, so all replicas together recheck
 * at most once in ten seconds.
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
    // Another replica's recheck during the pause is too early, since a logout may not be complete yet.
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
