// Adds the client one-for-all to a running demonstration, whose realm file does not have it: its tokens name all three services, and
// the page shows what that costs. npm start calls this after the start, and docker compose runs this file.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { administratorOf } from './running-keycloak.mjs';
import { clientSecrets, prefixOf } from './services.mjs';

const FILE = new URL('../keycloak/one-for-all-client.json', import.meta.url);

/**
 * Leaves a client of this name as it is.
 *
 * @param {NodeJS.ProcessEnv} environment says where Keycloak is, who its administrator is, and the secret of the client
 */
export async function addDemoClient(environment) {
  const client = JSON.parse(readFileSync(FILE, 'utf8'));
  const administrator = await administratorOf(environment);
  const found = await administrator.read(`/clients?clientId=${client.clientId}`);
  if (found.length > 0) return;
  const secret = clientSecrets(environment)[`${prefixOf(client.clientId)}_CLIENT_SECRET`];
  await administrator.change('POST', '/clients', { ...client, secret });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await addDemoClient(process.env);
