// npm start: builds, starts the embedded authorization server and the services, and shows what to try. npm run start:keycloak takes
// a real Keycloak; --authorization-server=… chooses any server, and --watch restarts the services on changes.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { buildByTsc, buildToRun, TSC } from './build.mjs';
import { addDemoClient } from './demo-client.mjs';
import { chooseServer, runsAlready } from './own-options.mjs';
import { messageOf, paint, portIsFree, startNode, stopSignal } from './processes.mjs';
import { portOf, realmEnvironment, REALM_FILE, serviceEnvironment, services } from './services.mjs';

/** @typedef {import('./services.mjs').NamedService} Service */
/** @typedef {import('keycloak-test-servers').RunningServer} Server */

const READY_WITHIN_SECONDS = 60;
const SERVER = 'the authorization server';

process.chdir(join(import.meta.dirname, '..'));
if (existsSync('.env')) process.loadEnvFile('.env');
// This is for development, unless somebody says otherwise: then the embedded server does not start.
process.env.NODE_ENV ||= 'development';
const signal = stopSignal();
/**
 * What is to be stopped, the last started first.
 *
 * @type {(() => Promise<unknown>)[]}
 */
const running = [];

try {
  await main();
} catch (error) {
  process.exitCode = signal.aborted ? 0 : 1;
  if (!signal.aborted) console.error(`\n${paint(31, messageOf(error))}`);
}
console.log('\nStopping …');
for (const stop of running.toReversed()) await stop();
process.exit();

/** Rejects when a service fails, and when it is time to stop. */
async function main() {
  const { values: flags } = parseArgs({
    options: { watch: { type: 'boolean' }, 'authorization-server': { type: 'string' } },
  });
  const choice = chooseServer(flags['authorization-server'], process.env, 'embedded');
  const all = services(process.env);
  await checkPorts(all, choice);
  say('Building');
  await (flags.watch ? buildByTsc({ signal }) : buildToRun({ signal }));
  const server = await startServer(all, choice);
  const context = { all, keycloak: server, environment: process.env };
  const children = all.map((service) => startService(service, context, flags.watch === true));
  running.push(() => Promise.all(children.map(({ stop }) => stop())));
  const aServiceEnds = Promise.race(children.map(failWhenEnded));
  if (flags.watch) watchSources();
  await Promise.race([Promise.all(children.map(untilReady)), aServiceEnds, aborted()]);
  showWhatToTry(all, server);
  await Promise.race([aServiceEnds, aborted()]);
}

/**
 * @param {readonly Service[]} all
 * @param {string} choice
 */
async function checkPorts(all, choice) {
  const needed = all.map(({ name, prefix, port }) => ({ who: name, variable: `${prefix}_PORT`, port }));
  if (!runsAlready(choice)) needed.push({ who: SERVER, variable: 'KEYCLOAK_PORT', port: serverPort() });
  const faults = [];
  for (const { who, variable, port } of needed) {
    if (await portIsFree(port)) continue;
    faults.push(`Port ${port} is in use, and ${who} needs it: stop what listens there, or set ${variable}.`);
    if (who === SERVER) {
      faults.push(
        '  If it is a Keycloak to use: --authorization-server=URL. If it is a container that an earlier run left:',
      );
      faults.push('  docker rm -f $(docker ps -q --filter label=nestjs-keycloak-s2s)');
    }
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
}

/**
 * The server that AUTHORIZATION_SERVER names. Its package is there only once it is built.
 *
 * @param {readonly Service[]} all
 * @param {string} choice
 */
async function startServer(all, choice) {
  const { startTestServer } = await import('../libs/keycloak-test-servers/dist/index.js');
  const server = await startTestServer({
    realm: REALM_FILE,
    environment: realmEnvironment(process.env, serviceA(all).port),
    port: serverPort(),
    onProgress: say,
    signal,
  });
  running.push(() => server.stop());
  // The realm of a server that ran before is its owner's.
  if (!runsAlready(choice)) await addDemoClientTo(server);
  return server;
}

/**
 * As the administrator of this server, and not the one whom the environment names for another. The demonstration goes on without the client.
 *
 * @param {Server} server
 */
async function addDemoClientTo({ issuer, adminUsername, adminPassword }) {
  const administrator = {
    AUTHORIZATION_SERVER: issuer,
    KEYCLOAK_ADMIN_TOKEN: '',
    KC_BOOTSTRAP_ADMIN_USERNAME: adminUsername,
    KC_BOOTSTRAP_ADMIN_PASSWORD: adminPassword,
  };
  await addDemoClient({ ...process.env, ...administrator }).catch((error) =>
    say(`The client one-for-all was not added, so the page can't show a token that is passed on: ${messageOf(error)}`),
  );
}

/**
 * @param {Service} service
 * @param {Parameters<typeof serviceEnvironment>[1]} context
 * @param {boolean} watched
 */
function startService(service, context, watched) {
  const watch = watched ? ['--watch', '--watch-preserve-output'] : [];
  const child = startNode([...watch, '--enable-source-maps', `apps/${service.name}/dist/main.js`], {
    env: serviceEnvironment(service, context),
    prefix: paint(service.color, `${service.name} | `),
  });
  return { ...service, ...child };
}

function watchSources() {
  const compiler = startNode([TSC, '-b', '-w', '--preserveWatchOutput'], { prefix: paint(2, 'tsc       | ') });
  running.push(() => compiler.stop());
}

/** @param {Service} service */
async function untilReady({ name, port }) {
  const url = `http://localhost:${port}/health/ready`;
  let said = '';
  for (let attempt = 0; attempt < READY_WITHIN_SECONDS * 4; attempt += 1) {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    if (response?.ok) return;
    const report = /** @type {any} */ (await response?.json().catch(() => undefined));
    said = report?.error?.keycloak?.code ?? said;
    await sleep(250, undefined, { signal });
  }
  const why =
    said === 'authorization_server_refused' ? ' (Keycloak refuses its client id or secret)' : said && ` (${said})`;
  throw new Error(`${name} was not ready within ${READY_WITHIN_SECONDS} s${why}: ${url}`);
}

/** @param {{ name: string, end: Promise<number | string | null> }} child */
async function failWhenEnded({ name, end }) {
  const status = await end;
  if (signal.aborted) return;
  throw new Error(`${name} ended by itself (${typeof status === 'number' ? `exit code ${status}` : status})`);
}

/** @returns {Promise<never>} */
function aborted() {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

function serverPort() {
  return portOf(process.env, 'KEYCLOAK_PORT', 8080);
}

/** @param {readonly Service[]} all */
function serviceA(all) {
  const found = all.find(({ name }) => name === 'service-a');
  if (found === undefined) throw new Error('There is no Service A');
  return found;
}

/** @param {string} line */
function say(line) {
  console.log(paint(2, line));
}

/**
 * @param {readonly Service[]} all
 * @param {Server} server
 */
function showWhatToTry(all, server) {
  const a = `localhost:${serviceA(all).port}`;
  // Another script can't know a server that was chosen here by hand.
  const choice = server.baseUrl === `http://localhost:${serverPort()}` ? '' : `AUTHORIZATION_SERVER=${server.baseUrl} `;
  console.log(`
${paint(1, 'All services are ready.')}

  A page to start from:       http://${a} (log in there as alice / alice, or as bob / bob)
  Service A as itself:        curl ${a}/run-service-b
  As alice, a manager (bob, who may only view, is refused):
    TOKEN=$(curl -s ${server.issuer}/protocol/openid-connect/token \\
      -d grant_type=password -d client_id=demo-cli -d username=alice -d password=alice \\
      -d 'scope=openid orders.read' | node -p 'JSON.parse(fs.readFileSync(0)).access_token')
    curl -H "Authorization: Bearer $TOKEN" ${a}/run-service-b
  Every step on its way:      ${choice}npm run tour
  ${aboutServer(server)}

Ctrl-C stops everything.
`);
}

/** @param {Server} server */
function aboutServer({ kind, baseUrl, adminUsername, adminPassword }) {
  if (kind === 'embedded') {
    return `Authorization server:       ${baseUrl}, the embedded server, which answers as Keycloak does. The real one: npm run start:keycloak`;
  }
  const administrator = kind === 'external' ? '' : ` (${adminUsername} / ${adminPassword})`;
  return `Keycloak's console:         ${baseUrl}/admin${administrator}`;
}
