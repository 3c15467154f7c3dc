// npm start builds, starts the embedded server and the services, and prints what to try. npm run start:keycloak uses a
// real Keycloak. The option --authorization-server=… selects any server. With --watch, the command restarts the
// services after changes. With --mcp, the realm and Service B admit the MCP server of `npm run mcp`. With --replicas=N,
// the command starts N processes of each service. --only=service-b starts the server and this service. --only=none
// starts only the server.
import '../common/help.mjs';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBalancer } from './balancer.mjs';
import { buildByTsc, buildToRun, TSC } from '../common/build.mjs';
import { addDemoClient } from './demo-client.mjs';
import { hasOrderTools, realmWithOrderTools } from './order-tools.mjs';
import { tellWhatRuns } from '../doctor/local-stacks.mjs';
import { argumentsOf, chooseServer, runsAlready } from '../common/own-options.mjs';
import {
  failWhenEnded,
  isForBrowsers,
  messageOf,
  paint,
  portIsFree,
  startNode,
  stopSignal,
} from '../common/processes.mjs';
import {
  keepRunning,
  namesValkey,
  placesOf,
  replicasAsked,
  sharingEnvironment,
  toolsForReplicas,
} from './replicas.mjs';
import {
  poller,
  portOf,
  realmEnvironment,
  REALM,
  REALM_FILE,
  serviceEnvironment,
  services,
  servicesAsked,
  sharedPorts,
} from './services.mjs';
import { feedEnvironment, hasSources, pollerEnvironment, withoutSources } from './signals.mjs';
import { startValkey } from './valkey.mjs';
import { showPlaces, showWhatToTry } from './what-to-try.mjs';

/** @typedef {import('./services.mjs').NamedService} Service */
/** @typedef {import('./replicas.mjs').Place} Place */
/** @typedef {import('keycloak-test-servers').RunningServer} Server */

const READY_WITHIN_SECONDS = 60;
const SERVER = 'the authorization server';

process.chdir(join(import.meta.dirname, '../..'));
if (existsSync('.env')) process.loadEnvFile('.env');
// The embedded server does not start in production.
process.env.NODE_ENV ||= 'development';
const signal = stopSignal();
/** @type {(() => Promise<unknown>)[]} */
const running = [];
/** @type {Parameters<typeof failWhenEnded>[0][]} */
const servers = [];
const ending = new AbortController();

try {
  await main();
} catch (error) {
  process.exitCode = signal.aborted ? 0 : 1;
  if (!signal.aborted) console.error(`\n${paint(31, messageOf(error))}`);
}
console.log('\nStopping …');
ending.abort();
for (const stop of running.toReversed()) await stop();
process.exit();

async function main() {
  const { values: flags } = argumentsOf({
    options: {
      watch: { type: 'boolean' },
      replicas: { type: 'string' },
      only: { type: 'string' },
      mcp: { type: 'boolean' },
      'authorization-server': { type: 'string' },
    },
  });
  if (flags.mcp) process.env.DEMO_ORDER_TOOLS = 'true';
  const choice = chooseServer(flags['authorization-server'], process.env, 'embedded');
  const count = replicasAsked(flags);
  const tools = count === undefined ? undefined : toolsForReplicas(process.env);
  const all = services(process.env);
  const asked = servicesAsked(all, flags.only);
  const feedSettings = feedEnvironment(process.env, choice);
  const listener = tools !== undefined && hasSources(feedSettings) ? poller(process.env) : undefined;
  await checkPorts(listener === undefined ? asked : [...asked, listener], choice);
  say('Building');
  await (flags.watch ? buildByTsc({ signal }) : buildToRun({ signal }));
  const { freePort } = await import('../../libs/keycloak-test-servers/dist/index.js');
  const server = await startServer(all, choice, feedSettings);
  const environment = tools === undefined ? feedSettings : await shareState(all, tools.valkey, freePort, feedSettings);
  const ofServices = tools === undefined ? environment : withoutSources(environment);
  const start = (/** @type {Place} */ place) => {
    const { service } = place;
    const env =
      service === listener
        ? pollerEnvironment(service, { keycloak: server, environment })
        : serviceEnvironment(service, { all, keycloak: server, environment: ofServices });
    return startService(place, env, flags.watch === true);
  };
  const places = await placesOf(asked, count, freePort);
  const beside = listener === undefined ? [] : [{ service: listener, name: listener.name, port: listener.port }];
  const children = [...places, ...beside].map(start);
  running.push(() => Promise.all(children.map(({ stop }) => stop())));
  running.push(await tellWhatRuns(() => stackOf(server, children, count)));
  if (flags.watch) watchSources();
  await Promise.race([Promise.all(children.map(untilReady)), failWhenOneEnds([...children, ...servers]), aborted()]);
  if (tools !== undefined) await balance(asked, children, tools.haproxy);
  if (flags.only !== undefined) showPlaces(server, places);
  else showWhatToTry(serviceA(all).port, server, serverPort(), count === undefined ? undefined : { count, children });
  if (hasOrderTools(process.env)) console.log('The tools for agents: npm run mcp, in another terminal.\n');
  const endless =
    count === undefined
      ? [failWhenOneEnds(children)]
      : children.map((child) => keepRunning(child, start, { say, signal: AbortSignal.any([signal, ending.signal]) }));
  await Promise.race([...endless, failWhenOneEnds(servers), aborted()]);
}

/**
 * @param {readonly Service[]} all
 * @param {string} choice
 */
async function checkPorts(all, choice) {
  const needed = all.map(({ name, prefix, port }) => ({ who: name, variable: `${prefix}_PORT`, port }));
  if (!runsAlready(choice)) needed.push({ who: SERVER, variable: 'KEYCLOAK_PORT', port: serverPort() });
  const faults = sharedPorts(needed);
  for (const { who, variable, port } of needed) {
    if (await portIsFree(port)) {
      if (!(await isForBrowsers(port)))
        faults.push(`Browsers block port ${port}, so ${who} can't use it: set ${variable}.`);
      continue;
    }
    faults.push(
      `Port ${port} is in use, but ${who} needs it: stop the process that listens there, or set ${variable}.`,
    );
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
 * @param {readonly Service[]} all
 * @param {string} choice
 * @param {NodeJS.ProcessEnv} environment
 */
async function startServer(all, choice, environment) {
  const { startTestServer } = await import('../../libs/keycloak-test-servers/dist/index.js');
  const realm = hasOrderTools(process.env) ? await realmWithOrderTools(process.env) : undefined;
  const server = await startTestServer({
    realm: realm?.file ?? REALM_FILE,
    environment: realmEnvironment(environment, serviceA(all).port),
    port: serverPort(),
    onProgress: say,
    signal,
  }).finally(realm?.remove);
  running.push(() => server.stop());
  // The script does not change the realm of a server that was already running.
  if (!runsAlready(choice)) await addDemoClientTo(server);
  return server;
}

/**
 * The environment may name another server's administrator.
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
    say(`The client one-for-all was not added, so the page can't show a forwarded token: ${messageOf(error)}`),
  );
}

/**
 * @param {readonly Service[]} all
 * @param {string} executable
 * @param {() => Promise<number>} freePort
 * @param {NodeJS.ProcessEnv} environment
 */
async function shareState(all, executable, freePort, environment) {
  if (namesValkey(environment)) return sharingEnvironment(all, environment);
  const valkey = await startValkey(executable, { port: await freePort(), prefix: paint(2, 'valkey      | '), signal });
  running.push(() => valkey.stop());
  servers.push(valkey);
  return sharingEnvironment(all, environment, valkey.urls);
}

/**
 * @param {readonly Service[]} all
 * @param {readonly Place[]} places
 * @param {string} executable
 */
async function balance(all, places, executable) {
  const balanced = all.map((service) => ({
    name: service.name,
    port: service.port,
    replicas: places.filter((place) => place.service === service).map(({ port }) => port),
  }));
  const balancer = await startBalancer(executable, balanced, { prefix: paint(2, 'haproxy     | '), signal });
  running.push(() => balancer.stop());
  servers.push(balancer);
}

/**
 * @param {Place} place
 * @param {NodeJS.ProcessEnv} environment
 * @param {boolean} watched
 */
function startService({ service, name, port }, environment, watched) {
  const watch = watched ? ['--watch', '--watch-preserve-output'] : [];
  const child = startNode([...watch, '--enable-source-maps', `apps/${service.name}/dist/main.js`], {
    env: { ...environment, PORT: String(port) },
    prefix: paint(service.color, `${name} | `),
  });
  return { service, name, port, environment, ...child };
}

/**
 * @param {Server} server
 * @param {readonly ReturnType<typeof startService>[]} children
 * @param {number | undefined} count of replicas
 */
function stackOf({ baseUrl, issuer }, children, count) {
  const processes = children.map(({ service, name, port, pid, environment }) => ({
    service: service.name,
    name,
    port,
    pid,
    environment,
  }));
  const title = count === undefined ? 'npm start' : `npm start with ${count} replicas`;
  return { title, keycloak: { baseUrl, realm: REALM, issuer }, processes };
}

function watchSources() {
  const compiler = startNode([TSC, '-b', '-w', '--preserveWatchOutput'], { prefix: paint(2, 'tsc       | ') });
  running.push(() => compiler.stop());
}

/** @param {Place} place */
async function untilReady({ name, port }) {
  const url = `http://localhost:${port}/health/ready`;
  let said = '';
  for (let attempt = 0; attempt < READY_WITHIN_SECONDS * 4; attempt += 1) {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    if (response?.ok) return;
    const report = /** @type {any} */ (await response?.json().catch(() => undefined));
    const parts = /** @type {{ code?: string }[]} */ (Object.values(report?.error ?? {}));
    said = parts.find(({ code }) => code !== undefined)?.code ?? said;
    await sleep(250, undefined, { signal });
  }
  const why =
    said === 'authorization_server_refused' ? ' (Keycloak refuses its client id or secret)' : said && ` (${said})`;
  throw new Error(`${name} was not ready within ${READY_WITHIN_SECONDS} s${why}: ${url}`);
}

/** @param {readonly Parameters<typeof failWhenEnded>[0][]} children */
function failWhenOneEnds(children) {
  return Promise.race(children.map((child) => failWhenEnded(child, signal)));
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
  if (found === undefined) throw new Error('services.json has no Service A');
  return found;
}

/** @param {string} line */
function say(line) {
  console.log(paint(2, line));
}
