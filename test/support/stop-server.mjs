// The globalTeardown of the e2e and browser specs.
export { stopServers as default } from './start-server.mjs';
