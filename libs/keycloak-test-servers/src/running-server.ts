/**
 * - `docker`: a real Keycloak in the official image.
 * - `distribution`: a real Keycloak from the official distribution on this machine's JVM.
 * - `embedded`: the server of `startAuthorizationServer()`, in this process or at the chosen URL.
 * - `external`: a Keycloak that was already running at the chosen URL.
 */
export type ServerKind = 'docker' | 'distribution' | 'embedded' | 'external';

export interface RunningServer {
  /** The URL of the server, without a trailing slash: `http://localhost:<port>`. */
  readonly baseUrl: string;
  /** The `iss` of the server's tokens: `<baseUrl>/realms/<realm>`. */
  readonly issuer: string;
  readonly realm: string;
  /** The running or emulated version of Keycloak, or `unknown` if the server choice is a URL. */
  readonly version: string;
  readonly kind: ServerKind;
  /** The enabled features besides Keycloak's defaults; empty if the server choice is a URL. */
  readonly features: readonly string[];
  /**
   * The administrator, who logs in at the realm `master` with `admin-cli`. If the server choice is a URL, the name and
   * password come from `KC_BOOTSTRAP_ADMIN_USERNAME` and `KC_BOOTSTRAP_ADMIN_PASSWORD` (default: `admin`).
   */
  readonly adminUsername: string;
  readonly adminPassword: string;
  /** One sentence that says why no Keycloak was available, so that the embedded server runs instead. */
  readonly fallbackReason?: string;
  /**
   * Stops the server and removes its files. A second call has no effect, and a server that ran before keeps running.
   */
  stop(): Promise<void>;
}

export const ADMIN = { username: 'admin', password: 'admin' } as const;

/** The default version of Keycloak, also emulated by the embedded server. */
export const DEFAULT_KEYCLOAK_VERSION = '26.7.5';
