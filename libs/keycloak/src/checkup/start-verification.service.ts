import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { ConfigurationError } from '../protocol/configuration-faults.js';
import type { Checkup } from './checkup.js';
import type { Finding } from './finding.js';

/** The message lists every fault with its cure, and contains no secret. */
export class StartVerificationError extends ConfigurationError {
  constructor(findings: readonly Finding[]) {
    super(
      "KeycloakModule can't start: Keycloak does not accept these settings",
      findings.map(({ message, cure = '' }) => `${message} ${cure}`.trimEnd()),
    );
  }
}

const isFault = ({ level, isUnreachable }: Finding): boolean => level === 'error' && isUnreachable !== true;

export class StartVerification implements OnApplicationBootstrap {
  readonly #logger = new Logger('StartVerification');

  constructor(
    /** One checkup for each issuer, in the order of the issuers. */
    private readonly checkups: readonly Checkup[],
    private readonly isOn: boolean,
  ) {}

  /**
   * Stops the start only for faults at the first issuer. The application also starts while Keycloak is unreachable,
   * because an outage must not stop every instance.
   */
  async onApplicationBootstrap(): Promise<void> {
    const [own, ...others] = await Promise.all(this.checkups.map((checkup) => this.#look(checkup)));
    const faults = own?.filter(isFault) ?? [];
    if (faults.length > 0) throw new StartVerificationError(faults);
    const findings = [own ?? [], ...others].flat();
    for (const finding of findings.filter(({ level }) => level === 'error')) {
      const { message, cure: hint } = finding;
      // A change at the server of another issuer must not stop this service.
      const what = isFault(finding)
        ? 'Another issuer does not accept these settings.'
        : 'The settings could not be verified.';
      this.#logger.error({ message: `${what} ${message}`, hint });
    }
    this.#warn(findings.filter(({ level }) => level === 'warning'));
  }

  async #look(checkup: Checkup): Promise<Finding[]> {
    return this.isOn
      ? checkup.run()
      : (await checkup.weaknesses()).map((finding) => ({ ...finding, level: 'warning' }));
  }

  #warn(findings: readonly Finding[]): void {
    for (const { message, cure } of findings) this.#logger.warn({ message, hint: cure });
  }
}
