/** startTestServer(): whichever server a suite is to run against, chosen by one word or by the environment. */
import { startAuthorizationServer } from './embedded/start-authorization-server.js';
import type { RunningServer } from './running-server.js';
import { startKeycloak } from './real/start-keycloak.js';
import type { StartServerOptions } from './start-server-options.js';

/**
 * - `embedded`: the server of `startAuthorizationServer()`, in this process, within a second.
 * - `keycloak`: a real Keycloak, in Docker when an engine answers, otherwise from its distribution.
 * - `docker`, `distribution`: a real Keycloak, in this way and no other.
 */
export type ServerChoice = 'embedded' | 'keycloak' | 'docker' | 'distribution';

const CHOICES: readonly string[] = ['embedded', 'keycloak', 'docker', 'distribution'] satisfies ServerChoice[];

/**
 * Starts one of both servers, on a free port unless told another. Both have one shape, so that a suite which keeps to it runs
 * against either. Default: what the variable `AUTHORIZATION_SERVER` of the environment says, and `embedded` without it.
 *
 * It does *not* fall back: what was chosen and can't be had is an error. See `startAuthorizationServer()` and
 * `startKeycloak()` for what each does, needs and throws.
 *
 * @throws RangeError for a choice that is none.
 */
export async function startTestServer(options: StartServerOptions, choice = chosen()): Promise<RunningServer> {
  if (!isChoice(choice)) throw noChoice(choice, 'The choice');
  if (choice === 'embedded') return startAuthorizationServer(options);
  return startKeycloak(choice === 'keycloak' ? options : { ...options, using: choice });
}

/** An empty variable counts as none. */
function chosen(): ServerChoice {
  const { AUTHORIZATION_SERVER: choice = '' } = process.env;
  if (choice === '') return 'embedded';
  if (isChoice(choice)) return choice;
  throw noChoice(choice, 'AUTHORIZATION_SERVER');
}

const isChoice = (choice: string): choice is ServerChoice => CHOICES.includes(choice);

const noChoice = (choice: string, what: string): RangeError =>
  new RangeError(`${what} is ${JSON.stringify(choice)}; it must be one of ${CHOICES.join(', ')}`);
