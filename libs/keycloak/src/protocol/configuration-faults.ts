/** The error of an unusable configuration; the message lists every fault, without secrets. */
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
 * Collects faults, so that a single exception lists all faults. The checked values come from outside, so their types
 * are not trusted.
 */
export class ConfigurationFaults {
  readonly #faults: string[] = [];

  get all(): readonly string[] {
    return this.#faults;
  }

  /** `text` names the setting, but never its value, which may be a secret. */
  fault(text: string): void {
    this.#faults.push(text);
  }

  throwIfFaulty(toError: (faults: readonly string[]) => ConfigurationError): void {
    if (this.#faults.length > 0) throw toError(this.#faults);
  }

  integer(name: string, value: unknown, min: number, max: number): number {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    this.fault(`${name} must be a whole number from ${min} to ${max}`);
    return min;
  }
}
