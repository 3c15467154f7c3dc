/** The `globalTeardown` of Jest that stops the server of a run: `keycloak-test-servers/jest-teardown`. */
export { stopSharedServer as default } from './shared-server.js';
