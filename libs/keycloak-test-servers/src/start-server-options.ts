/** StartServerOptions: the options of all servers for tests. */

export interface StartServerOptions {
  /** Path of a realm export (JSON), which an empty in-memory server imports. */
  readonly realm: string;
  /**
   * Values for the `${NAME}` placeholders of the realm file, such as client secrets. A placeholder with neither value nor
   * default is refused. `environment` may be a function of the name under which the server reaches this machine, for URLs
   * that the server calls: `localhost`, or `host.docker.internal` if Docker has a separate network.
   */
  readonly environment?: RealmEnvironment;
  /**
   * Features that are off unless they are asked for, by the names of Keycloak's option `--features`: `ssf` (shared signals, since 26.7). A Keycloak does
   * not start with one that its version doesn't know, nor does the embedded server, which has `ssf` alone. Default: none.
   */
  readonly features?: readonly string[];
  /** TCP port on this machine. Default: a free one, as `freePort()` returns them. */
  readonly port?: number;
  /** Called with a line of text for every step that may take a while. */
  readonly onProgress?: (line: string) => void;
  /** Aborts the start at any step: stops what was started, and rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
}

export type RealmEnvironment =
  Readonly<Record<string, string>> | ((thisMachine: string) => Readonly<Record<string, string>>);

/** Converts both forms to a function. */
export const environmentAt = (
  environment: RealmEnvironment = {},
): ((thisMachine: string) => Readonly<Record<string, string>>) =>
  typeof environment === 'function' ? environment : () => environment;
