/** Test groups that need a real Keycloak or run on both servers. */
import { describe } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import { keycloakUrl } from './demo-realm.js';
import { connectToKeycloak, contractServerAt, startEmbedded, type ContractServer } from './server.js';

/** Skipped on the embedded server. */
export const describeOnKeycloak = (name: string, tests: () => void): void =>
  (testServer().kind === 'embedded' ? describe.skip : describe)(name, tests);

/** Skipped unless the real Keycloak is known to have the feature. */
export const describeOnKeycloakWith = (feature: string, name: string, tests: () => void): void =>
  (hasFeature(feature) ? describe : describe.skip)(name, tests);

export const hasFeature = (feature: string): boolean =>
  testServer().kind !== 'embedded' && testServer().features.includes(feature);

/** Uses the original realm, since answers contain the realm name. */
export const connectToDemoRealm = async (): Promise<ContractServer> => contractServerAt(keycloakUrl());

export type ServerUnderContract = 'embedded' | 'keycloak';

/** If `npm test` uses the embedded server, Keycloak is skipped. */
export function describeOnBothServers(
  tests: (connect: () => Promise<ContractServer>, which: ServerUnderContract) => void,
  connect = connectToKeycloak,
): void {
  describe('the embedded server', () => {
    tests(startEmbedded, 'embedded');
  });
  describeOnKeycloak('Keycloak', () => {
    tests(connect, 'keycloak');
  });
}
