import { testServer } from 'keycloak-test-servers';

/** Keycloak 26.4 and 26.5 report a valid token as active to every client, so only the guard checks the audience. */
export const findsActiveWhoeverAsks = (): boolean => isBefore(6);

/** If a session ends in the account console, Keycloak 26.4 saves no event. */
export const savesEventsOfConsole = (): boolean => !isBefore(5);

function isBefore(other: number): boolean {
  const { kind, version } = testServer();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return kind !== 'embedded' && major === 26 && minor < other;
}
