/** What a caller may ask of a Keycloak that is started for tests. */
import type { ServerKind } from '../running-server.js';
import type { StartServerOptions } from '../start-server-options.js';

/** How Keycloak is run: its official image, or its official distribution on this machine's JVM. */
export type KeycloakKind = Extract<ServerKind, 'docker' | 'distribution'>;

export interface StartKeycloakOptions extends StartServerOptions {
  /** Version of Keycloak. Default: `26.7.4`, the one this package is tested with. */
  readonly version?: string;
  /**
   * Default: Docker when an engine answers and has the image or can pull it, otherwise the distribution (Java 17 or newer).
   * If given, the other way is not tried.
   */
  readonly using?: KeycloakKind;
  /**
   * Seconds in which the image must have been pulled, and again in which the distribution must have been got, where they are
   * not here yet. A way that takes longer counts as one that is not there. Default: 900.
   */
  readonly fetchTimeoutSeconds?: number;
  /** Seconds until Keycloak must be ready once it is launched, downloads not counted. Default: 300. */
  readonly startupTimeoutSeconds?: number;
}
