import { startAuthorizationServer } from './embedded/start-authorization-server.js';
import { findExternalServer } from './external-server.js';
import type { RunningServer } from './running-server.js';
import { startKeycloak } from './real/start-keycloak.js';
import { KeycloakUnavailableError } from './real/keycloak-unavailable-error.js';
import { chooseServer, isUrl, type ServerChoice } from './server-choice.js';
import { startAvailableServer } from './start-available-server.js';
import type { StartServerOptions } from './start-server-options.js';

/**
 * Starts the selected server, by default on a free port, or finds a running server (default: the environment variable
 * `AUTHORIZATION_SERVER`, otherwise `embedded`). Only `available` falls back; any other choice that is unavailable is
 * an error.
 *
 * A running server must have the realm of `options.realm`, unless the URL names another realm. It ignores `environment`
 * and `port`, and `stop()` leaves it running.
 *
 * @throws RangeError for an invalid choice.
 * @throws Error if no server answers at a URL, or if it does not have the realm.
 */
export async function startTestServer(options: StartServerOptions, choice?: ServerChoice): Promise<RunningServer> {
  const { choice: chosen, madeBy } = chooseServer(choice, process.env);
  if (isUrl(chosen)) return findExternalServer(chosen, options);
  if (chosen === 'embedded') return startAuthorizationServer(options);
  if (chosen === 'available') return startAvailableServer(options);
  try {
    return await startKeycloak(chosen === 'keycloak' ? options : { ...options, using: chosen });
  } catch (error) {
    throw error instanceof KeycloakUnavailableError ? error.askedForBy(madeBy) : error;
  }
}
