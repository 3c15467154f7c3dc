/** The globalTeardown of Jest that ends the server of a run: `nestjs-keycloak-s2s/testing/jest-teardown`. */
export { stopServerOfRun as default } from './server-of-run.js';
