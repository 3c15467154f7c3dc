import { testServer } from 'keycloak-test-servers';

/**
 * Keycloak 26.4 and 26.5 report a valid token as active to every client, so the guard checks its audience.
 * Keycloak 26.6 and the embedded server report it as inactive.
 */
export const findsActiveWhoeverAsks = (): boolean => isBefore(6);

/** Keycloak 26.4 saves no event if a user ends a session in the account console. */
export const savesEventsOfConsole = (): boolean => !isBefore(5);

function isBefore(other: number): boolean {
  const { kind, version } = testServer();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return kind !== 'embedded' && major === 26 && minor < other;
}
