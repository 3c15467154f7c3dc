/** Configuration faults: collects what is wrong with a configuration, so that one error lists all of it. */

/** Thrown at the start, for a configuration that nothing can run with. The message lists every fault, and no secret. */
export class ConfigurationError extends Error {
  constructor(
    summary: string,
    readonly faults: readonly string[],
  ) {
    super(`${summary}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.name = new.target.name;
  }
}

/**
 * For options as for a service's own settings: checks go on after a fault, and `throwIfFaulty` throws for all of them at once. Values
 * come from outside, so their types are not believed.
 */
export class ConfigurationFaults {
  readonly #faults: string[] = [];

  /** Those that were noted until now. */
  get all(): readonly string[] {
    return this.#faults;
  }

  /** A sentence that names what is at fault and never its value, which may be a secret. */
  fault(text: string): void {
    this.#faults.push(text);
  }

  /** Throws what `toError` makes of the faults, unless there are none. */
  throwIfFaulty(toError: (faults: readonly string[]) => ConfigurationError): void {
    if (this.#faults.length > 0) throw toError(this.#faults);
  }

  /** `value` where it is an integer from `min` to `max`; else a fault, and `min`. */
  integer(name: string, value: unknown, min: number, max: number): number {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    this.fault(`${name} must be a whole number from ${min} to ${max}`);
    return min;
  }
}
