// npm start: builds, starts Keycloak and the three services, and shows what to try. --watch restarts them on changes.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { paint, portIsFree, runNode, startNode, stopSignal } from './processes.mjs';
import { portOf, realmEnvironment, REALM, REALM_FILE, serviceEnvironment, services } from './services.mjs';

const TSC = 'node_modules/typescript/bin/tsc';
const READY_WITHIN_SECONDS = 60;

process.chdir(join(import.meta.dirname, '..'));
if (existsSync('.env')) process.loadEnvFile('.env');
const { values: flags } = parseArgs({ options: { watch: { type: 'boolean' }, keycloak: { type: 'string' } } });
const signal = stopSignal();
/** What is to be stopped, the last started first. */
const running = [];

try {
  await main();
} catch (error) {
  process.exitCode = signal.aborted ? 0 : 1;
  if (!signal.aborted) console.error(`\n${paint(31, error.message)}`);
}
console.log('\nStopping …');
for (const stop of running.toReversed()) await stop();
process.exit();

/** Rejects when a service fails, and when it is time to stop. */
async function main() {
  if (!['docker', 'distribution', undefined].includes(flags.keycloak)) {
    throw new Error('--keycloak is docker or distribution');
  }
  const all = services(process.env);
  const external = process.env.KEYCLOAK_BASE_URL?.replace(/\/$/, '');
  await checkPorts(all, !external);
  const found = external ? await findKeycloak(external) : undefined;
  say('Building');
  if ((await runNode([TSC, '-b'], { signal })) !== 0) throw new Error('The build failed');
  signal.throwIfAborted();
  const keycloak = found ?? (await ownKeycloak(all));
  const children = all.map((service) => startService(service, { all, keycloak, environment: process.env }));
  running.push(() => Promise.all(children.map(({ stop }) => stop())));
  const aServiceEnds = Promise.race(children.map(failWhenEnded));
  if (flags.watch) watchSources();
  await Promise.race([Promise.all(children.map(untilReady)), aServiceEnds, aborted()]);
  showWhatToTry(all, keycloak);
  await Promise.race([aServiceEnds, aborted()]);
}

async function checkPorts(all, withKeycloak) {
  const needed = all.map(({ name, letter, port }) => ({ who: name, variable: `SERVICE_${letter}_PORT`, port }));
  if (withKeycloak) needed.push({ who: 'Keycloak', variable: 'KEYCLOAK_PORT', port: keycloakPort() });
  const faults = [];
  for (const { who, variable, port } of needed) {
    if (await portIsFree(port)) continue;
    faults.push(`Port ${port} is in use, and ${who} needs it: stop what listens there, or set ${variable}.`);
    if (who === 'Keycloak') {
      faults.push(
        '  If it is a Keycloak to use: set KEYCLOAK_BASE_URL. If it is a container that an earlier run left:',
      );
      faults.push('  docker rm -f $(docker ps -q --filter label=nestjs-keycloak-s2s)');
    }
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
}

async function ownKeycloak(all) {
  // Only there once it is built.
  const { startKeycloak } = await import('../libs/keycloak/dist/testing/index.js');
  const keycloak = await startKeycloak({
    realm: REALM_FILE,
    environment: realmEnvironment(process.env, all.find(({ letter }) => letter === 'A').port),
    port: keycloakPort(),
    ...(flags.keycloak === undefined ? {} : { using: flags.keycloak }),
    onProgress: say,
    signal,
  });
  running.push(() => keycloak.stop());
  return keycloak;
}

async function findKeycloak(baseUrl) {
  const realm = process.env.KEYCLOAK_REALM || REALM;
  const url = `${baseUrl}/realms/${realm}/.well-known/openid-configuration`;
  let discovery;
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]) });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    discovery = await response.json();
  } catch (error) {
    const why = error.cause?.message || error.cause?.code || error.message;
    throw new Error(`No Keycloak with the realm ${realm} at KEYCLOAK_BASE_URL: ${url} (${why})`, { cause: error });
  }
  say(`Using the Keycloak at ${baseUrl}`);
  return { baseUrl, realm, issuer: process.env.KEYCLOAK_ISSUER || discovery.issuer };
}

function startService(service, context) {
  const watch = flags.watch ? ['--watch', '--watch-preserve-output'] : [];
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

async function untilReady({ name, port }) {
  const url = `http://localhost:${port}/health/ready`;
  for (let attempt = 0; attempt < READY_WITHIN_SECONDS * 4; attempt += 1) {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    if (response?.ok) return;
    await sleep(250, undefined, { signal });
  }
  throw new Error(`${name} was not ready within ${READY_WITHIN_SECONDS} s: ${url}`);
}

async function failWhenEnded({ name, end }) {
  const status = await end;
  if (signal.aborted) return;
  throw new Error(`${name} ended by itself (${typeof status === 'number' ? `exit code ${status}` : status})`);
}

function aborted() {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

function keycloakPort() {
  return portOf(process.env, 'KEYCLOAK_PORT', 8080);
}

function say(line) {
  console.log(paint(2, line));
}

function showWhatToTry(all, keycloak) {
  const a = `localhost:${all.find(({ letter }) => letter === 'A').port}`;
  console.log(`
${paint(1, 'All three services are ready.')}

  A page to start from:       http://${a} (log in there as alice / alice, or as bob / bob)
  Service A as itself:        curl ${a}/run-service-b
  As alice, a manager (bob, who may only view, is refused):
    TOKEN=$(curl -s ${keycloak.issuer}/protocol/openid-connect/token \\
      -d grant_type=password -d client_id=demo-cli -d username=alice -d password=alice \\
      -d 'scope=openid orders.read' | node -p 'JSON.parse(fs.readFileSync(0)).access_token')
    curl -H "Authorization: Bearer $TOKEN" ${a}/run-service-b
  Every step on its way:      npm run tour
  Keycloak's console:         ${keycloak.baseUrl}/admin${keycloak.adminUsername ? ` (${keycloak.adminUsername} / ${keycloak.adminPassword})` : ''}

Ctrl-C stops everything.
`);
}
