import type { ServerKind } from '../running-server.js';
import type { StartServerOptions } from '../start-server-options.js';

export type KeycloakKind = Extract<ServerKind, 'docker' | 'distribution'>;

export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

export interface StartKeycloakOptions extends StartServerOptions {
  /**
   * The Keycloak version (default: the environment variable `KEYCLOAK_VERSION`, or else `26.7.5`). Tested versions are
   * 26.4.7, 26.5.6, 26.6.4, 26.7.4 and 26.7.5.
   */
  readonly version?: string;
  /**
   * Restricts the start of Keycloak to this method. By default, Docker runs Keycloak if an engine answers and the image
   * is available; otherwise, Java 17 or newer runs the distribution.
   */
  readonly using?: KeycloakKind;
  /**
   * The certificate and the private key in PEM for {@link RunningKeycloak.httpsUrl} (default: HTTP only). The issuer
   * keeps the HTTP URL.
   */
  readonly tls?: CertifiedKey;
  /**
   * With `fixed` (the default), Keycloak's URLs start with {@link RunningKeycloak.baseUrl}. With `of each request`, the
   * URLs have the hostname of the request.
   */
  readonly hostname?: 'fixed' | 'of each request';
  /**
   * The time limit in seconds for each download: image or distribution (default: 900). A method that exceeds the limit
   * counts as unavailable.
   */
  readonly fetchTimeoutSeconds?: number;
  /** The time limit in seconds from the launch to readiness, without downloads (default: 300). */
  readonly startupTimeoutSeconds?: number;
}
