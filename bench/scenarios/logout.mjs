import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { administratorOf } from '../../scripts/start/running-keycloak.mjs';
import { logInAtServiceA } from '../measure/user-login.mjs';
import { sharing, startReplicas } from '../measure/replicas.mjs';
import { percentile } from '../measure/statistics.mjs';
import { startValkey } from '../measure/valkey.mjs';
import { figure } from '../report.mjs';

export const name = 'logout';
export const title =
  "Keycloak's logout notice to one of nine processes of the services, until all refuse (valkey-server on the path)";

const REPLICAS = 3;
const LOGOUTS = 100;
const PATH = '/auth/backchannel-logout';
const PAUSE_MS = 1;

export async function run(bench) {
  const valkey = await startValkey();
  const administrator = () =>
    administratorOf({
      AUTHORIZATION_SERVER: bench.keycloak.issuer,
      KC_BOOTSTRAP_ADMIN_USERNAME: bench.keycloak.adminUsername,
      KC_BOOTSTRAP_ADMIN_PASSWORD: bench.keycloak.adminPassword,
    });
  const [client] = await (await administrator()).read('/clients?clientId=service-a');
  const toServiceA = async (url) => {
    const attributes = { ...client.attributes, 'backchannel.logout.url': url };
    await (await administrator()).change('PUT', `/clients/${client.id}`, { ...client, attributes });
  };
  const proxy = await startProxy();
  const former = client.attributes['backchannel.logout.url'];
  try {
    // Copies the host name from the former logout URL, since Keycloak reaches this machine under this name.
    await toServiceA(`http://${new URL(former).hostname}:${proxy.port}${PATH}`);
    return await measure(bench, valkey, { administrator, proxy, redirectUri: client.redirectUris[0] });
  } finally {
    proxy.stop();
    valkey.stop();
    await toServiceA(former);
  }
}

async function measure({ keycloak, rounds, say, signal }, valkey, { administrator, proxy, redirectUri }) {
  const env = sharing(valkey.url, { level2: true });
  const { chains } = await startReplicas(keycloak, REPLICAS, { env, signal });
  const watched = chains.flatMap((chain) =>
    ['a', 'b', 'c'].map((service) => ({ service, pool: new Pool(chain[service].url, { connections: 2 }) })),
  );
  const p99s = [];
  for (let round = 1; round <= rounds; round += 1) {
    const tookMs = [];
    for (let at = 0; at < LOGOUTS; at += 1) {
      signal.throwIfAborted();
      const user = await logInAtServiceA(keycloak, redirectUri);
      for (const one of watched) await expectAdmitted(one, user);
      proxy.leadTo(chains[at % REPLICAS].a.url);
      const refusals = Promise.all(watched.map((one) => refusedAtMs(one, user, signal)));
      await (await administrator()).change('DELETE', `/sessions/${user.sid}`);
      tookMs.push(Math.max(...(await refusals)) - proxy.takenAtMs());
    }
    p99s.push(percentile(tookMs, 0.99));
    say(`round ${round}: median ${percentile(tookMs, 0.5).toFixed(1)} ms, p99 ${p99s.at(-1).toFixed(1)} ms`);
  }
  return [
    figure(
      `a logout notice that one replica took, until the last of ${watched.length} processes refuses: p99 of ${LOGOUTS}`,
      p99s,
      {
        unit: 'ms',
        must: { atMost: 100 },
        aim: { atMost: 50 },
        note: 'from the answer to the notice to the answer 401, as a caller sees them',
      },
    ),
  ];
}

async function ask({ service, pool }, user) {
  const headers = { authorization: `Bearer ${user[service]}` };
  const { statusCode, body } = await pool.request({ method: 'GET', path: '/api/whoami', headers });
  await body.dump();
  return statusCode;
}

async function expectAdmitted(one, user) {
  const status = await ask(one, user);
  if (status !== 200) throw new Error(`Service ${one.service.toUpperCase()} answers ${status} to a good token`);
}

async function refusedAtMs(one, user, signal) {
  for (;;) {
    signal.throwIfAborted();
    const status = await ask(one, user);
    if (status === 401) return performance.now();
    if (status !== 200) throw new Error(`Service ${one.service.toUpperCase()} answers ${status}`);
    await sleep(PAUSE_MS);
  }
}

async function startProxy() {
  let url;
  let takenMs;
  const server = createServer(async (incoming, outgoing) => {
    const body = await text(incoming);
    const headers = { 'content-type': incoming.headers['content-type'] };
    const response = await fetch(url + PATH, { method: 'POST', headers, body });
    if (response.ok) takenMs = performance.now();
    outgoing.writeHead(response.status).end();
  });
  await new Promise((resolve) => server.listen(0, resolve));
  return {
    port: server.address().port,
    leadTo(next) {
      url = next;
      takenMs = undefined;
    },
    takenAtMs() {
      if (takenMs === undefined) throw new Error('Service A did not accept the logout notice');
      return takenMs;
    },
    stop: () => server.close(),
  };
}
