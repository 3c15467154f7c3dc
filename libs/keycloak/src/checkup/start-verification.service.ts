import { Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
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

export class StartVerification implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('StartVerification');
  readonly #shutdown = new AbortController();

  constructor(
    /** One checkup for each issuer, with the first issuer first. */
    private readonly checkups: readonly Checkup[],
    private readonly when: boolean | 'background',
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.when === true) return this.#verify();
    this.#warn((await Promise.all(this.checkups.map(async (checkup) => checkup.weaknesses()))).flat());
    if (this.when === 'background') for (const checkup of this.checkups) void this.#verifyLater(checkup);
  }

  onApplicationShutdown(): void {
    this.#shutdown.abort();
  }

  /**
   * Stops the application start only for faults at the first issuer. The application also starts while Keycloak is
   * unreachable, because an outage must not stop every instance.
   */
  async #verify(): Promise<void> {
    const [own, ...others] = await Promise.all(this.checkups.map(async (checkup) => checkup.run()));
    const faults = own?.filter(isFault) ?? [];
    if (faults.length > 0) throw new StartVerificationError(faults);
    const findings = [own ?? [], ...others].flat();
    for (const finding of findings.filter(({ level }) => level === 'error')) {
      // A change at the server of another issuer must not stop this service.
      this.#report(finding, 'Another issuer does not accept these settings.');
    }
    this.#warn(findings.filter(({ level }) => level === 'warning'));
  }

  async #verifyLater(checkup: Checkup): Promise<void> {
    const { signal } = this.#shutdown;
    try {
      const findings = await checkup.runBriefly(signal);
      const fault = findings.find(({ level }) => level === 'error');
      if (fault !== undefined && !signal.aborted) this.#report(fault, 'Keycloak does not accept these settings.');
    } catch (error) {
      // An unhandled rejection would end the process.
      this.#logger.error({ message: checkup.cleanse(`The settings could not be verified. ${String(error)}`) });
    }
  }

  #report(finding: Finding, refused: string): void {
    const { message, cure: hint } = finding;
    const words = isFault(finding) ? refused : 'The settings could not be verified.';
    this.#logger.error({ message: `${words} ${message}`, hint });
  }

  #warn(findings: readonly Finding[]): void {
    for (const { message, cure } of findings) this.#logger.warn({ message, hint: cure });
  }
}
