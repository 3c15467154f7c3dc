/** Stops the server of a run. Set Jest's `globalTeardown` to `keycloak-test-servers/jest-teardown`. */
export { stopSharedServer as default } from './shared-server.js';
