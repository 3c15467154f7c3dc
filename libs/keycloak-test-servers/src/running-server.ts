/**
 * - `docker`, `distribution`: a real Keycloak in its official image, or from its official distribution on this
 *   machine's JVM.
 * - `embedded`: the server of `startAuthorizationServer()`, also if it was found by its URL.
 * - `external`: a Keycloak that was already running and was found by its URL.
 */
export type ServerKind = 'docker' | 'distribution' | 'embedded' | 'external';

export interface RunningServer {
  /** `http://localhost:<port>`, without a trailing slash. */
  readonly baseUrl: string;
  /** `iss` of its tokens: `<baseUrl>/realms/<realm>`. */
  readonly issuer: string;
  readonly realm: string;
  /** The version of Keycloak that runs or is emulated; `unknown` if the server was found by its URL. */
  readonly version: string;
  readonly kind: ServerKind;
  /** The enabled features beyond Keycloak's defaults; empty for a server that was found by its URL. */
  readonly features: readonly string[];
  /**
   * Login at the realm `master` with `admin-cli`. For a server that was already running: `KC_BOOTSTRAP_ADMIN_USERNAME`
   * and `KC_BOOTSTRAP_ADMIN_PASSWORD`, by default `admin`.
   */
  readonly adminUsername: string;
  readonly adminPassword: string;
  /** With the choice `available`: why the embedded server replaces Keycloak, in one sentence. */
  readonly fallbackReason?: string;
  /**
   * Stops the server and removes all files that it wrote; a server that was already running keeps running. May be
   * called again.
   */
  stop(): Promise<void>;
}

export const ADMIN = { username: 'admin', password: 'admin' } as const;

/** The version that starts by default, and that the embedded server emulates. */
export const DEFAULT_KEYCLOAK_VERSION = '26.7.5';
