/** Neither Docker nor a JVM is here to run Keycloak with. */

/**
 * There is nothing on this machine to run Keycloak with. The message says what was looked for, why each way failed, and
 * what to install. Not thrown when Keycloak was started and then failed: that is an ordinary `Error` with its last log
 * lines.
 */
export class KeycloakUnavailableError extends Error {
  override readonly name = 'KeycloakUnavailableError';
  /** One sentence for each way that was tried, in order. */
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
        '  - Java 17 or newer (a JRE is enough), found through JAVA_HOME or on PATH. Keycloak itself is then downloaded',
        '    once (about 180 MB): by Maven when mvn is on PATH, otherwise over https from github.com.',
      ].join('\n'),
    );
    this.reasons = reasons;
  }

  /** The same, with the choice that asked for a real one at the start of its message. */
  askedForBy(choice: string): KeycloakUnavailableError {
    return new KeycloakUnavailableError(this.version, this.reasons, choice);
  }
}

/** The image of the official Keycloak release. */
export function imageName(version: string): string {
  return `quay.io/keycloak/keycloak:${version}`;
}
