import { startAuthorizationServer } from './embedded/start-authorization-server.js';
import { findExternalServer } from './external-server.js';
import type { RunningServer } from './running-server.js';
import { startKeycloak } from './real/start-keycloak.js';
import { KeycloakUnavailableError } from './real/keycloak-unavailable-error.js';
import { chooseServer, isUrl, type ServerChoice } from './server-choice.js';
import { startAvailableServer } from './start-available-server.js';
import type { StartServerOptions } from './start-server-options.js';

/**
 * Starts the selected server (default: on a free port), or finds a running server. The default choice is the
 * environment variable `AUTHORIZATION_SERVER`, or `embedded`. Only the choice `available` has a fallback; every other
 * choice requires its server.
 *
 * A running server must have the realm of `options.realm` or of the URL. `environment`, `port` and `stop()` have no
 * effect on a running server.
 *
 * @throws RangeError for an invalid choice.
 * @throws Error if no server answers at a URL, or if the server lacks the realm.
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
