/** Options of a real Keycloak for tests. */
import type { ServerKind } from '../running-server.js';
import type { StartServerOptions } from '../start-server-options.js';

/** How Keycloak runs: its official image, or its official distribution on this machine's JVM. */
export type KeycloakKind = Extract<ServerKind, 'docker' | 'distribution'>;

export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

export interface StartKeycloakOptions extends StartServerOptions {
  /**
   * Keycloak version. Default: the environment variable `KEYCLOAK_VERSION`, otherwise `26.7.5`. Tested versions are
   * 26.4.7, 26.5.6, 26.6.4, 26.7.4 and 26.7.5.
   */
  readonly version?: string;
  /**
   * Default: Docker if an engine answers and has the image or can pull it, otherwise the distribution (Java 17 or
   * newer). If given, the other way is not tried.
   */
  readonly using?: KeycloakKind;
  /**
   * Certificate and private key in PEM. Keycloak then also answers at {@link RunningKeycloak.httpsUrl}; its issuer
   * keeps the HTTP URL. Default: HTTP only.
   */
  readonly tls?: CertifiedKey;
  /**
   * `fixed`: Keycloak's URLs always start with {@link RunningKeycloak.baseUrl}. `of each request`: they have the
   * hostname of each request, as without `--hostname`. Default: `fixed`.
   */
  readonly hostname?: 'fixed' | 'of each request';
  /**
   * Time limit in seconds for pulling the image, and again for downloading the distribution. A way that exceeds it
   * counts as unavailable. Default: 900.
   */
  readonly fetchTimeoutSeconds?: number;
  /** Time limit in seconds from launch to readiness, without downloads. Default: 300. */
  readonly startupTimeoutSeconds?: number;
}
