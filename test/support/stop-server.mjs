// The globalTeardown of the e2e and browser specs.
export { stopSharedServer as default } from 'keycloak-test-servers';
