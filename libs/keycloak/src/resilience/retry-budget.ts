/** RetryBudget: lets a tenth of the calls be repeated, so that retries add little load to a server that fails. */

/** Retries that are allowed before the first call, and at most after any number of calls. */
const INITIAL_RETRIES = 5;
const MAX_RETRIES = 20;
const PER_CALL = 0.1;

export class RetryBudget {
  #retries = INITIAL_RETRIES;

  /** A first try was made. */
  deposit(): void {
    this.#retries = Math.min(this.#retries + PER_CALL, MAX_RETRIES);
  }

  /** Whether one more retry may be made; if so, it counts as made. */
  withdraw(): boolean {
    if (this.#retries < 1) return false;
    this.#retries -= 1;
    return true;
  }
}
