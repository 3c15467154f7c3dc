// The globalSetup of the e2e and browser specs: one server for all of them, whose realm sends browsers to a free port.
import { resolve } from 'node:path';
import { freePort, startSharedServer } from 'keycloak-test-servers';
import { chooseServer, runsAlready } from '../../scripts/own-options.mjs';
import { realmEnvironment, REALM_FILE } from '../../scripts/services.mjs';

export default async function startServer() {
  const port = await freePort();
  const realm = resolve(import.meta.dirname, '../..', REALM_FILE);
  await startSharedServer({ realm, environment: realmEnvironment({}, port) });
  // The address of Service A that the realm's redirects and logout notices go to. A server that runs already has another one.
  if (runsAlready(chooseServer(undefined, process.env, 'embedded'))) delete process.env.TEST_SERVICE_A_URL;
  else process.env.TEST_SERVICE_A_URL = `http://localhost:${port}`;
}
