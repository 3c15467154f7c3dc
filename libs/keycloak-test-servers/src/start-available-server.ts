/** The choice `available`: a real Keycloak where this machine can run one, else the embedded server and the reason. */
import { startAuthorizationServer } from './embedded/start-authorization-server.js';
import { KeycloakUnavailableError } from './real/keycloak-unavailable-error.js';
import { startKeycloak } from './real/start-keycloak.js';
import type { RunningServer } from './running-server.js';
import type { StartServerOptions } from './start-server-options.js';

/** How long an image or a distribution may take to arrive when there is something to fall back on. */
const FETCH_SECONDS_BEFORE_FALLBACK = 180;

/** It does not fall back from a Keycloak that was launched and then failed. */
export async function startAvailableServer(
  options: StartServerOptions,
  startReal: typeof startKeycloak = startKeycloak,
): Promise<RunningServer> {
  try {
    return await startReal({ ...options, fetchTimeoutSeconds: FETCH_SECONDS_BEFORE_FALLBACK });
  } catch (error) {
    if (!(error instanceof KeycloakUnavailableError)) throw error;
    return startFallback(options, error);
  }
}

async function startFallback(
  options: StartServerOptions,
  unavailable: KeycloakUnavailableError,
): Promise<RunningServer> {
  const why = `No Keycloak can be run here (${unavailable.reasons.join('; ')})`;
  const fallbackReason =
    `${why}, so the embedded authorization server stands in for it. A real one (install Docker, or Java 17) adds its ` +
    'admin console, passwords that are kept as hashes, and all that the embedded one does not have.';
  options.onProgress?.(fallbackReason);
  try {
    return { ...(await startAuthorizationServer(options)), fallbackReason };
  } catch (error) {
    // In production it refuses to start: then both reasons are of use.
    throw new Error(`${why}, and the embedded one did not start: ${messageOf(error)}`, { cause: error });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
