// npm run faults breaks the demonstration's realm in one way, to practise troubleshooting. The option --seed=N selects
// the fault, and --reveal prints the fault of the seed. With --undo, the command restores the realm.
import '../common/help.mjs';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { addDemoClient } from '../start/demo-client.mjs';
import { REALM_FAULTS } from './realm-faults.mjs';
import { argumentsOf } from '../common/own-options.mjs';
import { messageOf, paint } from '../common/processes.mjs';
import { administratorOf, runningKeycloak } from '../start/running-keycloak.mjs';
import { realmWithOrderTools } from '../start/order-tools.mjs';
import { realmEnvironment, REALM_FILE, services } from '../start/services.mjs';
import { feedEnvironment } from '../start/signals.mjs';

/** This number and the number of faults must have no common divisor. */
const STRIDE = 7;

const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]']);

const { values: flags } = argumentsOf({
  options: { seed: { type: 'string' }, undo: { type: 'boolean' }, reveal: { type: 'boolean' } },
});

process.chdir(join(import.meta.dirname, '../..'));
if (existsSync('.env')) process.loadEnvFile('.env');

try {
  const { hostname } = new URL(runningKeycloak(process.env).baseUrl);
  if (!LOCAL.has(hostname)) throw new Error(`${hostname} is not this machine, so its realms are not changed`);
  if (flags.undo) await undo();
  else if (flags.reveal) console.log(faultOf(flags.seed).what);
  else await breakRealm(flags.seed);
} catch (error) {
  console.error(paint(31, messageOf(error)));
  process.exitCode = 1;
}

/** @param {string | undefined} seed */
function faultOf(seed) {
  if (seed === undefined || !/^\d{1,9}$/.test(seed)) throw new Error('--seed= must be a whole number');
  const fault = REALM_FAULTS[(Number(seed) * STRIDE) % REALM_FAULTS.length];
  if (fault === undefined) throw new Error('This fault does not exist');
  return fault;
}

/** @param {string | undefined} seed */
async function breakRealm(seed) {
  const fault = faultOf(seed);
  const administrator = await demoRealm();
  await fault.make(administrator);
  // With `notBefore`, Keycloak reports existing tokens as inactive, so that the services do not use them for minutes.
  const realm = await administrator.read('');
  const notBefore = Math.ceil(Date.now() / 1000);
  await administrator.change('PUT', '', { ...realm, notBefore });
  // Waits until `notBefore` has passed, because Keycloak rejects every token that was issued earlier.
  await sleep(notBefore * 1000 - Date.now() + 100);
  console.log(`
The realm now has one fault. All tokens were revoked, too, so users have to log in again, and the first refusals in the log are
theirs (inactive). For ten seconds the services use cached answers, so a 200 says nothing yet. Then try both calls,
and find the fault with the log of the services, docs/operations.md, npm run doctor and npm run doctor -- --admin:

  as Service A itself:      curl -i localhost:${portOfA()}/run-service-b
  as alice:                 the page of Service A, or curl as npm start shows it

Show the fault:           npm run --silent faults -- --seed=${seed} --reveal
Restore the realm:        npm run --silent faults -- --undo
`);
}

async function undo() {
  const administrator = await demoRealm();
  // The realm still contains the address at which Keycloak reaches Service A, and the clients of `--mcp`.
  const [client] = await administrator.read('/clients?clientId=service-a');
  const { hostname, origin } = new URL(client?.attributes?.['backchannel.logout.url'] ?? 'http://localhost:3000');
  const withTools = (await administrator.read('/clients?clientId=order-tools')).length > 0;
  const given = feedEnvironment(process.env, '');
  /** @type {Record<string, string | undefined>} */
  const environment = { ...realmEnvironment(given, portOfA())(hostname), SERVICE_A_INTERNAL_URL: origin };
  const tools = withTools ? await realmWithOrderTools(process.env) : undefined;
  const text = readFileSync(tools?.file ?? REALM_FILE, 'utf8').replaceAll(
    /\$\{(\w+)(?::([^}]*))?\}/g,
    (_, name, fallback = '') => environment[name] ?? fallback,
  );
  await tools?.remove();
  await administrator.change('DELETE', '');
  await administrator.createRealm({ ...JSON.parse(text), realm: runningKeycloak(process.env).realm });
  await addDemoClient(process.env);
  console.log('The realm is restored. Users have to log in again. npm run doctor shows whether all is well.');
}

/** Fails with the embedded server, which has no administration. */
async function demoRealm() {
  const administrator = await administratorOf(process.env);
  if ((await administrator.read('/clients?clientId=demo-cli')).length > 0) return administrator;
  throw new Error(`${runningKeycloak(process.env).realm} is not the realm of the demonstration, so it is not changed`);
}

function portOfA() {
  return services(process.env).find(({ name }) => name === 'service-a')?.port ?? 3000;
}
