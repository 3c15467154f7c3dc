/** The one shape of every server that is started for tests, the embedded one and a real Keycloak. */

/**
 * How it runs: a real Keycloak in its official image or from its official distribution on this machine's JVM; the server of
 * `startAuthorizationServer()`; or, found by its URL, a Keycloak that ran already (`external`). An embedded server that was
 * found by its URL is `embedded`, too.
 */
export type ServerKind = 'docker' | 'distribution' | 'embedded' | 'external';

export interface RunningServer {
  /** `http://localhost:<port>`, with no slash at its end. */
  readonly baseUrl: string;
  /** `iss` of its tokens: `<baseUrl>/realms/<realm>`. */
  readonly issuer: string;
  readonly realm: string;
  /** The version of Keycloak that it is; of the embedded server, the one that it answers like. Found by its URL: `unknown`. */
  readonly version: string;
  readonly kind: ServerKind;
  /**
   * Who administers it: at the realm `master`, by `admin-cli`. Of a server that ran already, `KC_BOOTSTRAP_ADMIN_USERNAME` and
   * `KC_BOOTSTRAP_ADMIN_PASSWORD` say who, else `admin`.
   */
  readonly adminUsername: string;
  readonly adminPassword: string;
  /** Of the choice `available`: why the embedded server stands in for a Keycloak, in one sentence. */
  readonly fallbackReason?: string;
  /** Does nothing to a server that ran already. Ends any other, and removes all that it wrote. May be called again; resolves when it is gone. */
  stop(): Promise<void>;
}

/** The administrator of every server that is started for tests. */
export const ADMIN = { username: 'admin', password: 'admin' } as const;

/** The Keycloak that is started, and that the embedded server answers like, where no version is given. */
export const DEFAULT_KEYCLOAK_VERSION = '26.7.4';
