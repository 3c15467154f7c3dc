export interface StartServerOptions {
  /** The path of a realm export (JSON), which an empty in-memory server imports. */
  readonly realm: string;
  /**
   * The values for the `${NAME}` placeholders of the realm file, such as client secrets. The server refuses a
   * placeholder that has no value and no default. A function receives the hostname under which the server reaches this
   * machine (`localhost`, or `host.docker.internal` if Docker has a separate network).
   */
  readonly environment?: RealmEnvironment;
  /**
   * The features to enable, named as in Keycloak's option `--features`, such as `ssf` (shared signals, since 26.7). A
   * server does not start if a feature is unknown to the server, and the embedded server knows only `ssf`.
   */
  readonly features?: readonly string[];
  /** The TCP port on this machine (default: a free port from `freePort()`). */
  readonly port?: number;
  /** A function that gets a line of text for every step that may take a while. */
  readonly onProgress?: (line: string) => void;
  /**
   * This signal aborts the start at any step. The abort stops all started processes, and rejects the promise with the
   * signal's reason.
   */
  readonly signal?: AbortSignal;
}

export type RealmEnvironment =
  Readonly<Record<string, string>> | ((thisMachine: string) => Readonly<Record<string, string>>);

export const environmentAt = (
  environment: RealmEnvironment = {},
): ((thisMachine: string) => Readonly<Record<string, string>>) =>
  typeof environment === 'function' ? environment : () => environment;
