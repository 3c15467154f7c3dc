import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REALM_FILE } from './services.mjs';

const EXAMPLE_REALM_FILE = 'examples/mcp/realm.json';
const CLIENTS = ['order-tools', 'agent'];

/** @typedef {{ name?: string, clientId?: string, secret?: string, clientScope?: string }} Part */
/** @typedef {Record<'clientScopes' | 'scopeMappings' | 'clients', Part[]>} Realm */

/** @param {NodeJS.ProcessEnv} environment */
export const hasOrderTools = (environment) => environment.DEMO_ORDER_TOOLS === 'true';

/**
 * DEMO: the secret is published, so it protects nothing.
 *
 * @param {NodeJS.ProcessEnv} environment
 */
export const orderToolsSecret = (environment) => environment.ORDER_TOOLS_CLIENT_SECRET || 'tools-secret';

/**
 * Writes a copy of the demo realm with the scopes and clients of the example, for the import.
 *
 * @param {NodeJS.ProcessEnv} environment
 */
export async function realmWithOrderTools(environment) {
  const [realm, example] = [await readRealm(REALM_FILE), await readRealm(EXAMPLE_REALM_FILE)];
  const isOfTools = (/** @type {string | undefined} */ name = '') => /^(tools\.|offline_access$)/.test(name);
  replace(realm.clientScopes, example.clientScopes, ({ name }) => isOfTools(name) && name);
  replace(realm.scopeMappings, example.scopeMappings, ({ clientScope }) => isOfTools(clientScope) && clientScope);
  replace(realm.clients, example.clients, ({ clientId = '' }) => CLIENTS.includes(clientId) && clientId);
  for (const client of realm.clients) {
    if (client.clientId === 'order-tools') client.secret = orderToolsSecret(environment);
  }
  const folder = await mkdtemp(join(tmpdir(), 'realm-with-order-tools-'));
  const file = join(folder, 'realm.json');
  await writeFile(file, JSON.stringify(realm));
  return { file, remove: () => rm(folder, { recursive: true }) };
}

/** @param {string} file @returns {Promise<Realm>} */
const readRealm = async (file) => JSON.parse(await readFile(file, 'utf8'));

/**
 * @param {Part[]} parts
 * @param {readonly Part[]} added
 * @param {(part: Part) => string | false | undefined} nameOf the name of a part to add
 */
function replace(parts, added, nameOf) {
  for (const part of added) {
    const name = nameOf(part);
    if (!name) continue;
    const at = parts.findIndex((other) => nameOf(other) === name);
    if (at === -1) parts.push(part);
    else parts[at] = part;
  }
}
