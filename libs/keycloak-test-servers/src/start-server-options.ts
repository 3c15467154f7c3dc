/** Options of all test servers. */

export interface StartServerOptions {
  /** Path of a realm export (JSON), which an empty in-memory server imports. */
  readonly realm: string;
  /**
   * Values for the `${NAME}` placeholders of the realm file, such as client secrets; a placeholder with neither value
   * nor default is refused. A function gets the hostname under which the server reaches this machine: `localhost`, or
   * `host.docker.internal` if Docker has a separate network.
   */
  readonly environment?: RealmEnvironment;
  /**
   * Features to enable, named as in Keycloak's option `--features`, such as `ssf` (shared signals, since 26.7). A
   * server does not start with a feature that it does not know; the embedded server knows `ssf` only.
   */
  readonly features?: readonly string[];
  /** TCP port on this machine (default: a free port from `freePort()`). */
  readonly port?: number;
  /** Called with a line of text for every step that may take a while. */
  readonly onProgress?: (line: string) => void;
  /** Aborts the start at any step: stops what was started, and rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
}

export type RealmEnvironment =
  Readonly<Record<string, string>> | ((thisMachine: string) => Readonly<Record<string, string>>);

export const environmentAt = (
  environment: RealmEnvironment = {},
): ((thisMachine: string) => Readonly<Record<string, string>>) =>
  typeof environment === 'function' ? environment : () => environment;
