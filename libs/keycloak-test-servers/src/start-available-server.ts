import { startAuthorizationServer } from './embedded/start-authorization-server.js';
import { KeycloakUnavailableError } from './real/keycloak-unavailable-error.js';
import { startKeycloak } from './real/start-keycloak.js';
import type { RunningServer } from './running-server.js';
import type { StartServerOptions } from './start-server-options.js';

const FETCH_SECONDS_BEFORE_FALLBACK = 180;

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
  const why = `This machine can't run Keycloak (${unavailable.reasons.join('; ')})`;
  const fallbackReason =
    `${why}, so the embedded authorization server stands in for it. To run a real Keycloak, with its admin console, hashed ` +
    'passwords and all other features, install Docker or Java 17.';
  options.onProgress?.(fallbackReason);
  try {
    return { ...(await startAuthorizationServer(options)), fallbackReason };
  } catch (error) {
    throw new Error(`${why}, and the embedded server did not start: ${messageOf(error)}`, { cause: error });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
