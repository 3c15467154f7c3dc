/** The one shape of every server that is started for tests, the embedded one and a real Keycloak. */

/**
 * How it runs: a real Keycloak in its official image or from its official distribution on this machine's JVM, or the server
 * of `startAuthorizationServer()` in this process.
 */
export type ServerKind = 'docker' | 'distribution' | 'embedded';

export interface RunningServer {
  /** `http://localhost:<port>`, with no slash at its end. */
  readonly baseUrl: string;
  /** `iss` of its tokens: `<baseUrl>/realms/<realm>`. */
  readonly issuer: string;
  readonly realm: string;
  /** The version of Keycloak that it is; of the embedded server, the one that it answers like. */
  readonly version: string;
  readonly kind: ServerKind;
  /** Who administers it: at the realm `master`, by `admin-cli`. */
  readonly adminUsername: string;
  readonly adminPassword: string;
  /** Ends it and removes all that it wrote. May be called again; resolves when it is gone. */
  stop(): Promise<void>;
}

/** The administrator of every server that is started for tests. */
export const ADMIN = { username: 'admin', password: 'admin' } as const;

/** The Keycloak that is started, and that the embedded server answers like, where no version is given. */
export const DEFAULT_KEYCLOAK_VERSION = '26.7.4';
