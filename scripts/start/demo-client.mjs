// Adds the demo client `one-for-all` to a running realm. The tokens of this client have all three services as
// audiences. npm start calls `addDemoClient`, and docker compose runs this file.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { administratorOf } from './running-keycloak.mjs';
import { clientSecrets, prefixOf } from './services.mjs';

const FILE = new URL('../../keycloak/one-for-all-client.json', import.meta.url);

/**
 * @param {NodeJS.ProcessEnv} environment names the address and the administrator of Keycloak, and the secret of the
 * client
 */
export async function addDemoClient(environment) {
  const client = JSON.parse(readFileSync(FILE, 'utf8'));
  const administrator = await administratorOf(environment);
  const secret = clientSecrets(environment)[`${prefixOf(client.clientId)}_CLIENT_SECRET`];
  const [found] = await administrator.read(`/clients?clientId=${client.clientId}`);
  await (found === undefined
    ? administrator.change('POST', '/clients', { ...client, secret })
    : administrator.change('PUT', `/clients/${found.id}`, { ...found, ...client, secret }));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await addDemoClient(process.env);
