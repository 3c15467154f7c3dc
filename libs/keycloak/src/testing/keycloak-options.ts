/** What a caller may ask of a Keycloak that is started for tests. */

/** How Keycloak is run: its official image, or its official distribution on this machine's JVM. */
export type KeycloakKind = 'docker' | 'distribution';

export interface StartKeycloakOptions {
  /** Path of a realm export (JSON). It is imported into an empty, in-memory database. */
  readonly realm: string;
  /**
   * Values for the `${NAME}` placeholders of the realm file, such as client secrets. A placeholder without a value and
   * without a default is refused. It may be a function of the name under which Keycloak reaches this machine (`localhost`,
   * or `host.docker.internal` where Docker has a network of its own), for URLs that Keycloak calls.
   */
  readonly environment?: Readonly<Record<string, string>> | ((thisMachine: string) => Readonly<Record<string, string>>);
  /** TCP port on this machine. Default: a free one. */
  readonly port?: number;
  /** Version of Keycloak. Default: `26.7.4`, the one this package is tested with. */
  readonly version?: string;
  /**
   * Default: Docker when an engine answers and has the image or can pull it, otherwise the distribution (Java 17 or newer).
   * If given, the other way is not tried.
   */
  readonly using?: KeycloakKind;
  /** Seconds until Keycloak must be ready once it is launched, downloads not counted. Default: 300. */
  readonly startupTimeoutSeconds?: number;
  /** Called with a line of text for every step that may take long. */
  readonly onProgress?: (line: string) => void;
  /** Gives up, at any step: what was started is ended, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}
