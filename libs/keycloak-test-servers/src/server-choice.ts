/**
 * - `embedded`: the server of `startAuthorizationServer()`, started in this process within a second
 * - `keycloak`: as `docker` if an engine answers, otherwise as `distribution`
 * - `docker`: a real Keycloak in Docker
 * - `distribution`: a real Keycloak from the distribution, run by Java
 * - `available`: a real Keycloak if this machine can run Keycloak, otherwise `embedded` with a report of the reason
 * - a URL: a running server, or a realm at this server (`http://localhost:8080/realms/shop`)
 */
export type ServerChoice =
  'embedded' | 'keycloak' | 'docker' | 'distribution' | 'available' | `http://${string}` | `https://${string}`;

const KINDS: readonly string[] = [
  'embedded',
  'keycloak',
  'docker',
  'distribution',
  'available',
] satisfies ServerChoice[];

const VARIABLE = 'AUTHORIZATION_SERVER';

export interface NamedChoice {
  readonly choice: ServerChoice;
  readonly madeBy: string;
}

export function chooseServer(given: string | undefined, environment: NodeJS.ProcessEnv): NamedChoice {
  if (given !== undefined) return named(given, 'the choice');
  const { [VARIABLE]: variable = '' } = environment;
  return variable === '' ? { choice: 'embedded', madeBy: 'no choice' } : named(variable, VARIABLE);
}

export const isUrl = (choice: string): choice is `http://${string}` | `https://${string}` =>
  /^https?:\/\//.test(choice) && URL.canParse(choice);

function named(choice: string, by: string): NamedChoice {
  if (isUrl(choice) || isKind(choice)) return { choice, madeBy: `${by}=${choice}` };
  throw new RangeError(
    `${by} is ${JSON.stringify(choice)}; it must be one of ${KINDS.join(', ')}, or an http(s) URL of a running server`,
  );
}

const isKind = (choice: string): choice is ServerChoice => KINDS.includes(choice);
