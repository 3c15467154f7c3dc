/** Allows about one retry for every ten calls, to spare a failing server. */

const INITIAL_RETRIES = 5;
const MAX_RETRIES = 20;
const PER_CALL = 0.1;

export class RetryBudget {
  #retries = INITIAL_RETRIES;

  deposit(): void {
    this.#retries = Math.min(this.#retries + PER_CALL, MAX_RETRIES);
  }

  withdraw(): boolean {
    if (this.#retries < 1) return false;
    this.#retries -= 1;
    return true;
  }
}
