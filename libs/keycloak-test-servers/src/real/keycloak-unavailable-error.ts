/**
 * The error if neither Docker nor Java can run Keycloak on this machine. The message says what to install. If Keycloak
 * started and then failed, the error is an ordinary `Error`.
 */
export class KeycloakUnavailableError extends Error {
  override readonly name = 'KeycloakUnavailableError';
  /** The reasons: one sentence for each attempted method, in the order of the attempts. */
  readonly reasons: readonly string[];

  constructor(
    private readonly version: string,
    reasons: readonly string[],
    askedForBy = '',
  ) {
    super(
      [
        `${askedForBy === '' ? '' : `${askedForBy}: `}Keycloak ${version} cannot be run on this machine:`,
        ...reasons.map((reason) => `  - ${reason}`),
        'Install one of these:',
        `  - Docker, running and able to pull ${imageName(version)}`,
        '  - Java 17 or newer (a JRE is enough), through JAVA_HOME or on PATH. Keycloak itself is then downloaded',
        '    once (about 180 MB): by Maven when mvn is on PATH, otherwise over https from github.com.',
      ].join('\n'),
    );
    this.reasons = reasons;
  }

  /** The message begins with `choice`, because this choice requires a real Keycloak. */
  askedForBy(choice: string): KeycloakUnavailableError {
    return new KeycloakUnavailableError(this.version, this.reasons, choice);
  }
}

export function imageName(version: string): string {
  return `quay.io/keycloak/keycloak:${version}`;
}
