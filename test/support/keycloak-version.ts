import { testServer } from 'keycloak-test-servers';

/**
 * True for Keycloak 26.4 and 26.5, which report a valid token as active to every client. The guard then checks the
 * audience.
 */
export const findsActiveWhoeverAsks = (): boolean => isBefore(6);

/** False for Keycloak 26.4, which saves no event if a user ends a session in the account console. */
export const savesEventsOfConsole = (): boolean => !isBefore(5);

function isBefore(other: number): boolean {
  const { kind, version } = testServer();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return kind !== 'embedded' && major === 26 && minor < other;
}
