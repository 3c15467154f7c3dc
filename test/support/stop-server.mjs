export { stopServers as default } from './start-server.mjs';
