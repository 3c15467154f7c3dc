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
   * Keycloak version (default: the environment variable `KEYCLOAK_VERSION`, otherwise `26.7.5`). Tested versions are
   * 26.4.7, 26.5.6, 26.6.4, 26.7.4 and 26.7.5.
   */
  readonly version?: string;
  /**
   * The only method to try. Default: Docker if an engine answers and has or can pull the image, otherwise the
   * distribution (Java 17 or newer).
   */
  readonly using?: KeycloakKind;
  /**
   * Certificate and private key in PEM for {@link RunningKeycloak.httpsUrl}; the issuer keeps the HTTP URL (default:
   * HTTP only).
   */
  readonly tls?: CertifiedKey;
  /**
   * Whether Keycloak's URLs start with {@link RunningKeycloak.baseUrl} (`fixed`, the default) or have the hostname of
   * each request.
   */
  readonly hostname?: 'fixed' | 'of each request';
  /**
   * Time limit in seconds for pulling the image, and again for downloading the distribution (default: 900). A method
   * that exceeds the limit counts as unavailable.
   */
  readonly fetchTimeoutSeconds?: number;
  /** Time limit in seconds from launch to readiness, without downloads (default: 300). */
  readonly startupTimeoutSeconds?: number;
}
