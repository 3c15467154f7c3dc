/** StartVerification: warns of weak settings; and with `verifyAtStart`, an application whose settings Keycloak refuses does not start. */
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { ConfigurationError } from '../configuration-faults.js';
import type { Checkup } from './checkup.js';
import type { Finding } from './finding.js';

/** Thrown at the start. The message lists every fault with its cure, and holds no secret. */
export class StartVerificationError extends ConfigurationError {
  constructor(findings: readonly Finding[]) {
    super(
      'KeycloakModule found at the start that Keycloak does not serve these settings',
      findings.map(({ message, cure = '' }) => `${message} ${cure}`.trimEnd()),
    );
  }
}

export class StartVerification implements OnApplicationBootstrap {
  readonly #logger = new Logger('StartVerification');

  constructor(
    /** One for each issuer. */
    private readonly checkups: readonly Checkup[],
    private readonly isOn: boolean,
  ) {}

  /**
   * Throws `StartVerificationError` for faults. Where Keycloak gives no answer, nothing is known of the settings: the log says so, and the
   * application starts, since all instances would be down together with Keycloak.
   */
  async onApplicationBootstrap(): Promise<void> {
    if (!this.isOn) return this.#warn(await this.#of((checkup) => checkup.weaknesses()));
    const findings = await this.#of((checkup) => checkup.run());
    const errors = findings.filter(({ level }) => level === 'error');
    const faults = errors.filter(({ isUnreachable }) => isUnreachable !== true);
    if (faults.length > 0) throw new StartVerificationError(faults);
    for (const { message, cure } of errors) {
      this.#logger.error({ message: `The settings could not be verified. ${message}`, hint: cure });
    }
    this.#warn(findings.filter(({ level }) => level === 'warning'));
  }

  async #of(look: (checkup: Checkup) => Promise<Finding[]>): Promise<Finding[]> {
    return (await Promise.all(this.checkups.map(look))).flat();
  }

  #warn(findings: readonly Finding[]): void {
    for (const { message, cure } of findings) this.#logger.warn({ message, hint: cure });
  }
}
