/** startTestServer(): whichever server a suite is to run against, chosen by one word or by the environment. */
import { startAuthorizationServer } from './embedded/start-authorization-server.js';
import { findExternalServer } from './external-server.js';
import type { RunningServer } from './running-server.js';
import { startKeycloak } from './real/start-keycloak.js';
import { KeycloakUnavailableError } from './real/keycloak-unavailable-error.js';
import { chooseServer, isUrl, type ServerChoice } from './server-choice.js';
import { startAvailableServer } from './start-available-server.js';
import type { StartServerOptions } from './start-server-options.js';

/**
 * Starts the server that was chosen, on a free port unless told another, or finds the one that runs already. All have one
 * shape, so that a suite which keeps to it runs against any. Default: what the variable `AUTHORIZATION_SERVER` of the
 * environment says, and `embedded` without it.
 *
 * Only `available` falls back. Whatever else was chosen and can't be had is an error. See `startAuthorizationServer()` and
 * `startKeycloak()` for what each does, needs and throws.
 *
 * A server that runs already must have the realm of `options.realm`, unless the URL names another; `environment` and `port`
 * are of no use to it, and `stop()` leaves it running.
 *
 * @throws RangeError for a choice that is none.
 * @throws Error when nothing answers at a URL, or no such realm.
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
