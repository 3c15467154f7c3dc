/** Groups of tests that need a real Keycloak, or run on both servers. */
import { describe } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import { keycloakUrl } from './demo-realm.js';
import { contractServerAt, startEmbedded, type ContractServer } from './server.js';

/** For tests that need a real Keycloak. On the embedded server, Jest lists them as skipped, by name. */
export const describeOnKeycloak = (name: string, tests: () => void): void =>
  (testServer().kind === 'embedded' ? describe.skip : describe)(name, tests);

/** For tests that need a feature of a real Keycloak: an older one doesn't have it, and of one that runs already it is not known. */
export const describeOnKeycloakWith = (feature: string, name: string, tests: () => void): void =>
  (hasFeature(feature) ? describe : describe.skip)(name, tests);

export const hasFeature = (feature: string): boolean =>
  testServer().kind !== 'embedded' && testServer().features.includes(feature);

/** Not the copy of this worker: answers name the realm. */
export const connectToDemoRealm = async (): Promise<ContractServer> => contractServerAt(keycloakUrl());

export type ServerUnderContract = 'embedded' | 'keycloak';

/** Runs the tests on both servers, or only on the embedded one if `npm test` runs on that. */
export function describeOnBothServers(
  tests: (connect: () => Promise<ContractServer>, which: ServerUnderContract) => void,
): void {
  describe('the embedded server', () => {
    tests(startEmbedded, 'embedded');
  });
  describeOnKeycloak('Keycloak', () => {
    tests(connectToDemoRealm, 'keycloak');
  });
}
