/** What the Keycloak of `npm test` does as older versions do. */
import { testServer } from 'keycloak-test-servers';

/** Keycloak 26.4 and 26.5 answer every client that a valid token is active, and the guard refuses its audience. 26.6 and the embedded server say inactive. */
export const findsActiveWhoeverAsks = (): boolean => isBefore(6);

/** Keycloak 26.4 saves no event of a session that its user ends in the account console. 26.6 does. */
export const savesEventsOfConsole = (): boolean => !isBefore(5);

/** Whether it is a real Keycloak before this 26. */
function isBefore(other: number): boolean {
  const { kind, version } = testServer();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return kind !== 'embedded' && major === 26 && minor < other;
}
