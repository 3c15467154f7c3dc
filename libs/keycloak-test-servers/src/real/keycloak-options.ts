/** StartKeycloakOptions: the options of a real Keycloak for tests. */
import type { ServerKind } from '../running-server.js';
import type { StartServerOptions } from '../start-server-options.js';

/** How Keycloak runs: its official image, or its official distribution on this machine's JVM. */
export type KeycloakKind = Extract<ServerKind, 'docker' | 'distribution'>;

export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

export interface StartKeycloakOptions extends StartServerOptions {
  /** Version of Keycloak. Default: the value of the environment variable `KEYCLOAK_VERSION`, else `26.7.5`. Tested are 26.4.7, 26.5.6, 26.6.4, 26.7.4 and 26.7.5. */
  readonly version?: string;
  /**
   * Default: Docker when an engine answers and has the image or can pull it, otherwise the distribution (Java 17 or newer).
   * If given, the other way is not tried.
   */
  readonly using?: KeycloakKind;
  /**
   * A certificate and its private key, both in PEM: Keycloak then answers at {@link RunningKeycloak.httpsUrl}, too. Its issuer
   * stays the one of its HTTP port. Default: HTTP alone.
   */
  readonly tls?: CertifiedKey;
  /**
   * What Keycloak calls itself: always {@link RunningKeycloak.baseUrl}, or whatever host name each request has, as a Keycloak does
   * that is started without `--hostname`. Default: `fixed`.
   */
  readonly hostname?: 'fixed' | 'of each request';
  /**
   * Time limit in seconds for pulling the image, and again for downloading the distribution. A way that exceeds it counts as
   * unavailable. Default: 900.
   */
  readonly fetchTimeoutSeconds?: number;
  /** Time limit in seconds from launch to readiness, without downloads. Default: 300. */
  readonly startupTimeoutSeconds?: number;
}
