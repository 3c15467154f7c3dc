import { describe } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import { keycloakUrl } from './demo-realm.js';
import { connectToKeycloak, contractServerAt, startEmbedded, type ContractServer } from './server.js';

export const describeOnKeycloak = (name: string, tests: () => void): void =>
  (testServer().kind === 'embedded' ? describe.skip : describe)(name, tests);

export const describeOnKeycloakWith = (feature: string, name: string, tests: () => void): void =>
  (hasFeature(feature) ? describe : describe.skip)(name, tests);

export const hasFeature = (feature: string): boolean =>
  testServer().kind !== 'embedded' && testServer().features.includes(feature);

/** Connects to the original realm, not to a worker's copy, since answers contain the realm name. */
export const connectToDemoRealm = async (): Promise<ContractServer> => contractServerAt(keycloakUrl());

export type ServerUnderContract = 'embedded' | 'keycloak';

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
