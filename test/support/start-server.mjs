// The globalSetup of the e2e and browser specs: one server for all of them, whose realm sends browsers to a free port.
import { resolve } from 'node:path';
import { freePort, startSharedServer } from 'keycloak-test-servers';
import { chooseServer, runsAlready } from '../../scripts/common/own-options.mjs';
import { realmEnvironment, REALM_FILE } from '../../scripts/start/services.mjs';

export default async function startServer() {
  const port = await freePort();
  const realm = resolve(import.meta.dirname, '../..', REALM_FILE);
  const features = featuresOf(process.env.KEYCLOAK_VERSION);
  await startSharedServer({ realm, environment: realmEnvironment({}, port), features });
  // The address of Service A that the realm's redirects and logout notices go to. A server that runs already has another one.
  if (runsAlready(chooseServer(undefined, process.env, 'embedded'))) delete process.env.TEST_SERVICE_A_URL;
  else process.env.TEST_SERVICE_A_URL = `http://localhost:${port}`;
}

/**
 * Shared signals, of which the contract has cases: in Keycloak from 26.7 on. An older one doesn't start with a feature that it doesn't know.
 *
 * @param {string} [version] default: the newest that is tested
 */
function featuresOf(version) {
  const [major = 0, minor = 0] = (version || '26.7').split('.').map(Number);
  return major < 26 || (major === 26 && minor < 7) ? [] : ['ssf'];
}
