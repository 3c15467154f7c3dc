// npm start: builds, starts an authorization server and the three services, and shows what to try. --watch restarts them on
// changes; --authorization-server=… chooses the server.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chooseServer, startServer } from './authorization-server.mjs';
import { buildByTsc, buildToRun, TSC } from './build.mjs';
import { paint, portIsFree, startNode, stopSignal } from './processes.mjs';
import { portOf, realmEnvironment, REALM, serviceEnvironment, services } from './services.mjs';

const READY_WITHIN_SECONDS = 60;
const SERVER = 'the authorization server';

process.chdir(join(import.meta.dirname, '..'));
if (existsSync('.env')) process.loadEnvFile('.env');
// This is for development, unless somebody says otherwise: then the embedded server does not start.
process.env.NODE_ENV ||= 'development';
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
  const { values: flags } = parseArgs({
    options: { watch: { type: 'boolean' }, 'authorization-server': { type: 'string' } },
  });
  const choice = chooseServer(flags['authorization-server'], {
    variable: 'KEYCLOAK_BASE_URL',
    environment: process.env,
  });
  const all = services(process.env);
  await checkPorts(all, choice.kind !== 'external');
  const found = choice.kind === 'external' ? await serverFor(all, choice) : undefined;
  say('Building');
  await (flags.watch ? buildByTsc({ signal }) : buildToRun({ signal }));
  const server = found ?? (await serverFor(all, choice));
  if (server.standsIn) console.log(paint(33, server.standsIn));
  const context = { all, keycloak: server, environment: process.env };
  const children = all.map((service) => startService(service, context, flags.watch));
  running.push(() => Promise.all(children.map(({ stop }) => stop())));
  const aServiceEnds = Promise.race(children.map(failWhenEnded));
  if (flags.watch) watchSources();
  await Promise.race([Promise.all(children.map(untilReady)), aServiceEnds, aborted()]);
  showWhatToTry(all, server);
  await Promise.race([aServiceEnds, aborted()]);
}

async function checkPorts(all, withServer) {
  const needed = all.map(({ name, letter, port }) => ({ who: name, variable: `SERVICE_${letter}_PORT`, port }));
  if (withServer) needed.push({ who: SERVER, variable: 'KEYCLOAK_PORT', port: serverPort() });
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

async function serverFor(all, choice) {
  const server = await startServer(choice, {
    realm: process.env.KEYCLOAK_REALM || REALM,
    realmEnvironment: realmEnvironment(process.env, all.find(({ letter }) => letter === 'A').port),
    port: serverPort(),
    fallBack: true,
    say,
    signal,
  });
  running.push(() => server.stop());
  if (choice.kind === 'external' && process.env.KEYCLOAK_ISSUER) server.issuer = process.env.KEYCLOAK_ISSUER;
  return server;
}

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

function serverPort() {
  return portOf(process.env, 'KEYCLOAK_PORT', 8080);
}

function say(line) {
  console.log(paint(2, line));
}

function showWhatToTry(all, server) {
  const a = `localhost:${all.find(({ letter }) => letter === 'A').port}`;
  // What was chosen here by hand another script can't know.
  const found = process.env.KEYCLOAK_BASE_URL?.replace(/\/$/, '') || `http://localhost:${serverPort()}`;
  const told = found === server.baseUrl ? '' : `KEYCLOAK_BASE_URL=${server.baseUrl} `;
  console.log(`
${paint(1, 'All services are ready.')}

  A page to start from:       http://${a} (log in there as alice / alice, or as bob / bob)
  Service A as itself:        curl ${a}/run-service-b
  As alice, a manager (bob, who may only view, is refused):
    TOKEN=$(curl -s ${server.issuer}/protocol/openid-connect/token \\
      -d grant_type=password -d client_id=demo-cli -d username=alice -d password=alice \\
      -d 'scope=openid orders.read' | node -p 'JSON.parse(fs.readFileSync(0)).access_token')
    curl -H "Authorization: Bearer $TOKEN" ${a}/run-service-b
  Every step on its way:      ${told}npm run tour
  ${aboutServer(server)}

Ctrl-C stops everything.
`);
}

function aboutServer({ kind, baseUrl, adminUsername, adminPassword }) {
  if (kind === 'embedded') {
    return `Authorization server:       ${baseUrl}, the embedded one, in this process. It is no Keycloak, and has no console`;
  }
  return `Keycloak's console:         ${baseUrl}/admin${adminUsername ? ` (${adminUsername} / ${adminPassword})` : ''}`;
}
