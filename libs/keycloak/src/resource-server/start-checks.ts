export interface StartChecks {
  readonly isEnforcing: boolean;
  run<T>(check: () => T, otherwise: T): T;
}

export const STOP_THE_START: StartChecks = { isEnforcing: true, run: (check) => check() };

export class ObservedFaults implements StartChecks {
  readonly isEnforcing = false;
  readonly #faults = new Set<string>();

  constructor(private readonly log: { warn(message: string, fields: object): void }) {}

  get all(): readonly string[] {
    return [...this.#faults];
  }

  run<T>(check: () => T, otherwise: T): T {
    try {
      return check();
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      if (!this.#faults.has(fault)) this.log.warn('The start would fail if access were enforced', { fault });
      this.#faults.add(fault);
      return otherwise;
    }
  }
}
