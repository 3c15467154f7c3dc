/**
 * - `docker`: a real Keycloak in the official image.
 * - `distribution`: a real Keycloak from the official distribution on this machine's JVM.
 * - `embedded`: the server of `startAuthorizationServer()`, even if the choice was a URL.
 * - `external`: a running Keycloak, if the choice was a URL.
 */
export type ServerKind = 'docker' | 'distribution' | 'embedded' | 'external';

export interface RunningServer {
  /** The URL of the server, without a trailing slash: `http://localhost:<port>`. */
  readonly baseUrl: string;
  /** The `iss` of the server's tokens: `<baseUrl>/realms/<realm>`. */
  readonly issuer: string;
  readonly realm: string;
  /** The version of Keycloak that runs or that the server emulates, or `unknown` if the server was found by its URL. */
  readonly version: string;
  readonly kind: ServerKind;
  /** The enabled features in addition to Keycloak's defaults, or an empty list if the server was found by its URL. */
  readonly features: readonly string[];
  /**
   * The administrator, who logs in at the realm `master` with `admin-cli`. For a server that was already running, the
   * name is `KC_BOOTSTRAP_ADMIN_USERNAME` and the password is `KC_BOOTSTRAP_ADMIN_PASSWORD` (default: `admin`).
   */
  readonly adminUsername: string;
  readonly adminPassword: string;
  /** With the choice `available`, says in one sentence why the embedded server replaces Keycloak. */
  readonly fallbackReason?: string;
  /**
   * Stops the server and removes all files of the server, but does not stop a server that was already running. A second
   * call has no effect.
   */
  stop(): Promise<void>;
}

export const ADMIN = { username: 'admin', password: 'admin' } as const;

/** The default version of Keycloak, which is also the version that the embedded server emulates. */
export const DEFAULT_KEYCLOAK_VERSION = '26.7.5';
