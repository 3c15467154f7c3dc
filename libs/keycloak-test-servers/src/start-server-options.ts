export interface StartServerOptions {
  /** The path of a realm export (JSON), which an empty in-memory server imports. */
  readonly realm: string;
  /**
   * The values for the `${NAME}` placeholders of the realm file, such as client secrets. The server refuses a
   * placeholder that has no value and no default. A function receives the hostname by which the server reaches this
   * machine (`localhost` or `host.docker.internal`).
   */
  readonly environment?: RealmEnvironment;
  /**
   * Features to enable, by Keycloak's names, such as `ssf` (shared signals, since 26.7). The embedded server knows only
   * `ssf`, and no server starts with an unknown feature.
   */
  readonly features?: readonly string[];
  /** The TCP port on this machine (default: a free port from `freePort()`). */
  readonly port?: number;
  /**
   * Receives a line of text for every slow step. The embedded server also reports, in one line, which mappers and
   * settings of the realm file it ignores.
   */
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
