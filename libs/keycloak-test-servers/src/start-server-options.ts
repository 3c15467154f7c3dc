/** What a caller may ask of any server that is started for tests. */

export interface StartServerOptions {
  /** Path of a realm export (JSON). It is read into an empty server that keeps nothing. */
  readonly realm: string;
  /**
   * Values for the `${NAME}` placeholders of the realm file, such as client secrets. A placeholder without a value and
   * without a default is refused. It may be a function of the name under which the server reaches this machine, for URLs
   * that it calls: `localhost`, or `host.docker.internal` where Docker has a network of its own.
   */
  readonly environment?: RealmEnvironment;
  /** TCP port on this machine. Default: a free one. */
  readonly port?: number;
  /** Called with a line of text for every step that may take long. */
  readonly onProgress?: (line: string) => void;
  /** Gives up, at any step: what was started is ended, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export type RealmEnvironment =
  Readonly<Record<string, string>> | ((thisMachine: string) => Readonly<Record<string, string>>);

/** Both forms as one. */
export const environmentAt = (
  environment: RealmEnvironment = {},
): ((thisMachine: string) => Readonly<Record<string, string>>) =>
  typeof environment === 'function' ? environment : () => environment;
