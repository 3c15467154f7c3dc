// The globalSetup of the e2e and browser specs. Each Jest worker gets its own realm, so specs with logins
// can run concurrently. The realm sends browsers and logout notices to the worker's own Service A.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { freePort, startAuthorizationServer, startSharedServer, stopSharedServer } from 'keycloak-test-servers';
import { QUICK_HASH, quickRealm, withQuickRealm } from '../../libs/keycloak-test-servers/contract/quick-realm.mjs';
import { fillPlaceholders } from '../../libs/keycloak-test-servers/dist/embedded/realm/realm-file.js';
import { chooseServer, runsAlready } from '../../scripts/common/own-options.mjs';
import { administratorOf } from '../../scripts/start/running-keycloak.mjs';
import { realmEnvironment, REALM_FILE } from '../../scripts/start/services.mjs';

/** @typedef {Pick<import('keycloak-test-servers').RunningServer, 'baseUrl' | 'issuer' | 'realm'>} RealmAddress */

const REALM_PATH = resolve(import.meta.dirname, '../..', REALM_FILE);

/** @type {import('keycloak-test-servers').RunningAuthorizationServer[]} */
const further = [];

/** @param {{ readonly maxWorkers: number }} globalConfig */
export default async function startServer({ maxWorkers }) {
  const ports = [];
  while (ports.length < maxWorkers) ports.push(await freePort());
  const [firstPort = 0] = ports;
  const features = featuresOf(process.env.KEYCLOAK_VERSION);
  let thisMachine = 'localhost';
  const server = await withQuickRealm(REALM_PATH, (realm) =>
    startSharedServer({
      realm,
      environment: (machine) => realmEnvironment({}, firstPort)((thisMachine = machine)),
      features,
    }),
  );
  delete process.env.TEST_WORKERS;
  // A server that was already running has only one realm, so all workers share this realm.
  if (runsAlready(chooseServer(undefined, process.env, 'embedded'))) return;
  const { baseUrl, issuer, realm } = server;
  if (server.kind !== 'embedded') {
    const master = await administratorOf({ AUTHORIZATION_SERVER: `${baseUrl}/realms/master` });
    await master.change('PUT', '', QUICK_HASH);
  }
  const workers = [];
  for (const port of ports) {
    const environment = realmEnvironment({}, port)(thisMachine);
    /** @type {RealmAddress} */
    let address = { baseUrl, issuer, realm };
    // No worker uses the demo realm, so a spec that depends on the realm's name always fails.
    if (server.kind !== 'embedded') address = await createRealm(server, `worker-${workers.length + 1}`, environment);
    else if (port !== firstPort) address = await startFurtherServer(environment, features);
    workers.push({ ...address, serviceAUrl: `http://localhost:${port}` });
  }
  process.env.TEST_WORKERS = JSON.stringify(workers);
}

export async function stopServers() {
  await stopSharedServer();
  for (const server of further.splice(0)) await server.stop();
}

/**
 * Starts another server, because an embedded server has one realm.
 *
 * @param {Readonly<Record<string, string>>} environment
 * @param {string[]} features
 * @returns {Promise<RealmAddress>}
 */
async function startFurtherServer(environment, features) {
  const server = await startAuthorizationServer({ realm: REALM_PATH, environment, features });
  further.push(server);
  return { baseUrl: server.baseUrl, issuer: server.issuer, realm: server.realm };
}

/**
 * @param {import('keycloak-test-servers').RunningServer} server
 * @param {string} realm
 * @param {Readonly<Record<string, string>>} environment
 * @returns {Promise<RealmAddress>}
 */
async function createRealm({ baseUrl, issuer, realm: first }, realm, environment) {
  const file = fillPlaceholders(await readFile(REALM_PATH, 'utf8'), environment);
  const administrator = await administratorOf({ AUTHORIZATION_SERVER: baseUrl });
  await administrator.createRealm(await quickRealm({ ...JSON.parse(file), realm }));
  return { baseUrl, issuer: issuer.replace(`/realms/${first}`, `/realms/${realm}`), realm };
}

/**
 * Keycloak before 26.7 lacks shared signals, and does not start with an unknown feature.
 *
 * @param {string} [version] default: the newest that is tested
 */
function featuresOf(version) {
  const [major = 0, minor = 0] = (version || '26.7').split('.').map(Number);
  return major < 26 || (major === 26 && minor < 7) ? [] : ['ssf'];
}
