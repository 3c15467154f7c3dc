import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { chainContender } from '../measure/contenders.mjs';
import { startCounter } from '../measure/counter.mjs';
import { clientToken } from '../measure/keycloak.mjs';
import { allAnswered, atRate, closedLoop } from '../measure/load.mjs';
import { sharing, startReplicas } from '../measure/replicas.mjs';
import { interleaved, paired } from '../measure/rounds.mjs';
import { CAUSES, preparedRealm, startPoller } from '../measure/signals.mjs';
import { percentile } from '../measure/statistics.mjs';
import { startValkey } from '../measure/valkey.mjs';
import { logInAtServiceA } from '../measure/user-login.mjs';
import { figure } from '../report.mjs';

export const name = 'signals';
export const title = 'the signal feed at nine processes, by one poller over Valkey (valkey-server on the path)';

const REPLICAS = 3;
const SAMPLES = 20;
const PAUSE_MS = 5;
const GIVE_UP_MS = 15_000;

const TOKENS = 200;
const RATE = 200;
const SECONDS = 60;
const TOKEN_LIFE_SECONDS = 300;
const SETTLED_MS = 15_000;
const IDLE_SECONDS = 60;
const WARM_REQUESTS = 9_000;
const ORDER = JSON.stringify({ order_id: 9876, amount: 1500 });

const LONG_TTL = { INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS: '300' };

export async function run(bench) {
  const valkey = await startValkey();
  const realm = await preparedRealm(bench.keycloak);
  try {
    return [
      ...(await causes(bench, valkey, realm)),
      ...(await calls(bench, valkey)),
      ...(await idle(bench, valkey)),
      ...(await warmChain(bench, valkey)),
    ];
  } finally {
    valkey.stop();
    await realm.restore();
  }
}

/** Introspection results are cached for 300 s, so only the feed can refuse earlier. */
async function causes({ keycloak, say, signal }, valkey, realm) {
  await valkey.command('FLUSHALL');
  const env = { ...sharing(valkey.url, { level2: false }), ...LONG_TTL };
  const { chains, stop } = await startReplicas(keycloak, REPLICAS, { env, signal });
  const poller = await startPoller(keycloak, env, signal);
  const watched = chains.flatMap((chain) =>
    ['a', 'b', 'c'].map((service) => ({ service, pool: new Pool(chain[service].url, { connections: 2 }) })),
  );
  const figures = [];
  for (const { cause, ends, act, prepare = () => undefined } of CAUSES) {
    const tookMs = [];
    while (tookMs.length < SAMPLES) {
      signal.throwIfAborted();
      const user = await realm.newUser();
      const tokens = await logInAtServiceA(keycloak, realm.redirectUri, user.username);
      const all = watched.filter(({ service }) => ends.includes(service));
      const prepared = await prepare(realm, user);
      for (const one of watched) await expectAdmitted(one, tokens);
      // Waits a random time, so that the event happens at a random moment between two polls.
      await sleep(Math.random() * 1000);
      const beganMs = performance.now();
      const refusals = Promise.all(all.map((one) => refusedAtMs(one, tokens, beganMs, signal)));
      await act(realm, { ...user, ...tokens, ...prepared });
      tookMs.push(Math.max(...(await refusals)) - beganMs);
      await sleep(1000, undefined, { signal });
    }
    const [median, most] = [percentile(tookMs, 0.5) / 1000, Math.max(...tookMs) / 1000];
    say(`${cause}: median ${median.toFixed(2)} s, max ${most.toFixed(2)} s of ${SAMPLES}`);
    figures.push(
      figure(`${cause}, until the last of ${REPLICAS * ends.length} processes refuses: max of ${SAMPLES}`, [most], {
        unit: 's',
        must: { atMost: 2.5 },
        aim: { atMost: 1.2 },
        note: `median ${median.toFixed(2)} s; from the sending of the act`,
      }),
    );
  }
  for (const { pool } of watched) await pool.destroy();
  await Promise.all([poller.stop(), stop()]);
  return figures;
}

async function ask({ service, pool }, tokens) {
  const headers = { authorization: `Bearer ${tokens[service]}` };
  const { statusCode, body } = await pool.request({ method: 'GET', path: '/api/whoami', headers });
  await body.dump();
  return statusCode;
}

async function expectAdmitted(one, tokens) {
  const status = await ask(one, tokens);
  if (status !== 200) throw new Error(`Service ${one.service.toUpperCase()} answers ${status} to a good token`);
}

async function refusedAtMs(one, tokens, beganMs, signal) {
  for (;;) {
    signal.throwIfAborted();
    const status = await ask(one, tokens);
    if (status === 401) return performance.now();
    if (status !== 200) throw new Error(`Service ${one.service.toUpperCase()} answers ${status}`);
    if (performance.now() - beganMs > GIVE_UP_MS) return Infinity;
    await sleep(PAUSE_MS);
  }
}

async function calls({ keycloak, start, say, signal }, valkey) {
  const counted = async (env, what, hasFeed) => {
    await valkey.command('FLUSHALL');
    const counter = await startCounter(keycloak, start);
    const shared = { ...sharing(valkey.url, { level2: false }), ...env };
    const { chains, stop } = await startReplicas(counter.keycloak, REPLICAS, { env: shared, signal });
    const poller = hasFeed ? await startPoller(counter.keycloak, shared, signal) : undefined;
    await sleep(SETTLED_MS, undefined, { signal });
    const requests = [];
    const renew = async (at) => {
      const authorization = `Bearer ${await clientToken(keycloak, 'service-a', 'orders.approve')}`;
      const headers = { authorization, 'content-type': 'application/json' };
      requests[at] = { method: 'POST', path: '/api/process', headers, body: ORDER };
    };
    for (let at = 0; at < TOKENS; at += 1) await renew(at);
    const load = async (send) => {
      const all = await Promise.all(chains.map(({ b }, at) => send(b.url, (n) => requests[(n + at) % TOKENS])));
      for (const result of all) allAnswered(result);
    };
    await load((url, request) => closedLoop({ url, request, requests: TOKENS, connections: 4, signal }));
    await counter.reset();
    const isOver = new AbortController();
    const renewing = (async () => {
      for (let at = 0; !isOver.signal.aborted; at += 1) {
        await renew(at % TOKENS);
        await sleep((TOKEN_LIFE_SECONDS / TOKENS) * 1000, undefined, { signal: isOver.signal }).catch(() => undefined);
      }
    })();
    await load((url, request) => atRate({ url, request, rate: RATE / REPLICAS, seconds: SECONDS, signal }));
    isOver.abort();
    await renewing;
    const total = await counter.total();
    say(`${what}: ${total} calls in ${SECONDS} s: ${JSON.stringify(await counter.counts())}`);
    await Promise.all([poller?.stop(), stop()]);
    return total;
  };
  const without = await counted({}, 'answers serve 10 s', false);
  const withFeed = await counted(LONG_TTL, 'answers serve 300 s while all is received', true);
  return [
    figure(
      `${TOKENS} tokens in use, ${REPLICAS} replicas of each: calls to Keycloak, of those without a feed`,
      [(withFeed / without) * 100],
      {
        unit: '%',
        must: { atMost: 15 },
        aim: { atMost: 7 },
        note: `${withFeed} for ${without} in ${SECONDS} s, those of the poller among them`,
      },
    ),
  ];
}

async function idle({ keycloak, start, say, signal }, valkey) {
  await valkey.command('FLUSHALL');
  const counter = await startCounter(keycloak, start);
  const env = sharing(valkey.url, { level2: false });
  const pollers = [await startPoller(counter.keycloak, env, signal), await startPoller(counter.keycloak, env, signal)];
  await sleep(5000, undefined, { signal });
  await counter.reset();
  await sleep(IDLE_SECONDS * 1000, undefined, { signal });
  const total = await counter.total();
  say(`two pollers: ${JSON.stringify(await counter.counts())} in ${IDLE_SECONDS} s`);
  await Promise.all(pollers.map((one) => one.stop()));
  return [
    figure('the feed when nothing happens, two pollers: requests to Keycloak', [total / IDLE_SECONDS], {
      unit: '/s',
      must: { atMost: 2.5 },
      aim: { atMost: 1.5 },
    }),
  ];
}

async function warmChain(bench, valkey) {
  await valkey.command('FLUSHALL');
  const { keycloak, rounds, scale, say, signal } = bench;
  const env = sharing(valkey.url, { level2: false });
  const poller = await startPoller(keycloak, env, signal);
  const contenders = [
    chainContender('alone', bench, { env: sharing(valkey.url, { level2: false }) }),
    chainContender('withFeed', bench, { env: { ...env, ...LONG_TTL } }),
  ];
  const { alone, withFeed } = await interleaved(contenders, { rounds, requests: WARM_REQUESTS * scale, say, signal });
  await poller.stop();
  return [
    figure(
      'warm chain with the feed on: CPU of the services, of that without',
      paired(withFeed, alone, (a, b) => (a.cpuMicros / b.cpuMicros) * 100),
      { unit: '%', must: { atMost: 101 }, aim: { atMost: 101 } },
    ),
  ];
}
