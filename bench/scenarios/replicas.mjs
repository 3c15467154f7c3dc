import { RUN_CHAIN } from '../measure/chain.mjs';
import { startCounter } from '../measure/counter.mjs';
import { chainContender } from '../measure/contenders.mjs';
import { clientToken, loginTokens, passwordToken } from '../measure/keycloak.mjs';
import { allAnswered, atRate, closedLoop } from '../measure/load.mjs';
import { sharing, startReplicas } from '../measure/replicas.mjs';
import { interleaved, paired } from '../measure/rounds.mjs';
import { startValkey } from '../measure/valkey.mjs';
import { figure, verdict } from '../report.mjs';

export const name = 'replicas';
export const title = 'nine replicas and what they share over Valkey (valkey-server on the path)';

const REPLICAS = 3;
const TOKENS = 100;
const RATE = 200;
const TTL_SECONDS = 10;
const SECONDS = 40;
const BURST = 500;
const BURSTS = 5;
const WARM_REQUESTS = 9_000;
const SESSIONS = 100_000;
const ANSWERS = 1_000_000;
const ORDER = JSON.stringify({ order_id: 9876, amount: 1500 });

export async function run(bench) {
  const valkey = await startValkey();
  try {
    return [
      ...(await hotTokens(bench, valkey)),
      ...(await coldBursts(bench, valkey)),
      ...(await warmChain(bench, valkey)),
      ...(await entries(bench, valkey)),
    ];
  } finally {
    valkey.stop();
  }
}

/** Service B introspects and exchanges each token, and Service C introspects the exchanged token. */
async function hotTokens({ keycloak, start, say, signal }, valkey) {
  const counter = await startCounter(keycloak, start);
  const requests = [];
  while (requests.length < TOKENS) {
    const authorization = `Bearer ${await clientToken(keycloak, 'service-a', 'orders.approve')}`;
    const headers = { authorization, 'content-type': 'application/json' };
    requests.push({ method: 'POST', path: '/api/process', headers, body: ORDER });
  }
  const calls = async (count, env, what) => {
    await valkey.command('FLUSHALL');
    const replicas = await startReplicas(counter.keycloak, count, { env, signal });
    const load = async (send) => {
      const all = await Promise.all(
        replicas.chains.map(({ b }, at) => send(b.url, (n) => requests[(n + at) % TOKENS])),
      );
      for (const result of all) allAnswered(result);
    };
    await load((url, request) => closedLoop({ url, request, requests: TOKENS, connections: 4, signal }));
    await counter.reset();
    await load((url, request) => atRate({ url, request, rate: RATE / count, seconds: SECONDS, signal }));
    const total = await counter.total();
    say(`${what}: ${total} calls in ${SECONDS} s: ${JSON.stringify(await counter.counts())}`);
    await replicas.stop();
    return total;
  };
  const one = await calls(1, {}, 'one of each');
  const off = await calls(REPLICAS, sharing(valkey.url, { level2: false }), 'three of each, each asks for itself');
  const on = await calls(REPLICAS, sharing(valkey.url, { level2: true }), 'three of each, one asks for all');
  const of = `${TOKENS} hot tokens, ${REPLICAS} replicas of each service: calls to Keycloak, of those of one each`;
  return [
    figure(`${of}; answers and tokens shared`, [on / one], {
      unit: '×',
      must: { atMost: 1.1 },
      aim: { atMost: 1.1 },
      note: `${on} for ${one} in ${SECONDS} s`,
    }),
    figure(`${of}; not shared`, [off / one], {
      unit: '×',
      note: `${off} for ${one}; N × T / t = ${((REPLICAS * TOKENS) / TTL_SECONDS) * SECONDS} introspections at each hop`,
    }),
  ];
}

async function coldBursts(bench, valkey) {
  const seen = [];
  while (seen.length < BURSTS) seen.push(await coldBurst(bench, valkey));
  const most = Object.fromEntries(
    seen.flatMap(Object.keys).map((what) => [what, Math.max(...seen.map((counts) => counts[what] ?? 0))]),
  );
  return [
    verdict(
      `cold burst of ${BURST} over ${REPLICAS} replicas of each, one new user, ${BURSTS} times`,
      Object.values(most).every((times) => times === 1),
      `at most ${Object.entries(most)
        .map(([what, times]) => `${times} ${what}`)
        .toSorted()
        .join(', ')}`,
      '≤ 1 of each kind at each hop',
    ),
  ];
}

async function coldBurst({ keycloak, start, signal }, valkey) {
  await valkey.command('FLUSHALL');
  const counter = await startCounter(keycloak, start);
  const env = sharing(valkey.url, { level2: true });
  const replicas = await startReplicas(counter.keycloak, REPLICAS, { env, signal });
  await counter.reset();
  const authorization = `Bearer ${await passwordToken(keycloak)}`;
  const request = { ...RUN_CHAIN, headers: { ...RUN_CHAIN.headers, authorization } };
  const requests = Math.ceil(BURST / REPLICAS);
  const bursts = replicas.chains.map(({ a }) =>
    closedLoop({ url: a.url, request, requests, connections: requests, signal }),
  );
  for (const result of await Promise.all(bursts)) allAnswered(result);
  const counts = await counter.counts();
  await replicas.stop();
  return counts;
}

async function warmChain(bench, valkey) {
  await valkey.command('FLUSHALL');
  const contenders = [
    chainContender('alone', bench),
    chainContender('sharing', bench, { env: sharing(valkey.url, { level2: true }) }),
  ];
  const { rounds, scale, say, signal } = bench;
  const { alone, sharing: shared } = await interleaved(contenders, {
    rounds,
    requests: WARM_REQUESTS * scale,
    say,
    signal,
  });
  return [
    figure(
      'warm chain with everything shared: CPU, of that with nothing shared',
      paired(shared, alone, (a, b) => (a.cpuMicros / b.cpuMicros) * 100),
      { unit: '%', must: { atMost: 103 }, aim: { atMost: 101 } },
    ),
  ];
}

async function entries({ keycloak, start, say }, valkey) {
  await valkey.command('FLUSHALL');
  const env = {
    ...sharing(valkey.url, { level2: true }),
    VALKEY_URL: valkey.url,
    TOKENS: JSON.stringify(await loginTokens(keycloak)),
    SESSIONS: String(SESSIONS),
    ANSWERS: String(ANSWERS),
  };
  const filler = await start('filler', ['bench/servers/shared-entries.mjs'], { env });
  const now = async () => ({ bytes: await valkey.info('memory', 'used_memory'), micros: await valkey.cpuMicros() });
  const each = async (what, count) => {
    const before = await now();
    await filler.ask(what);
    const after = await now();
    const [bytes, micros] = [(after.bytes - before.bytes) / count, (after.micros - before.micros) / count];
    say(`${what}: ${bytes.toFixed(0)} bytes and ${micros.toFixed(1)} µs CPU of Valkey each`);
    return { bytes, micros };
  };
  const added = await each('addSessions', SESSIONS);
  const found = await each('findSessions', SESSIONS);
  const put = await each('putAnswers', ANSWERS);
  const looked = await each('lookForAnswers', ANSWERS);
  const memory = (text, { bytes }, count) => {
    const note = `${count.toLocaleString('en')} take ${Math.round((bytes * count) / 1e6).toLocaleString('en')} MB`;
    return figure(`${text}: memory of Valkey`, [bytes], { unit: 'bytes', note });
  };
  const cpu = (text, { micros }) => figure(`${text}: CPU of Valkey`, [micros], { unit: 'µs' });
  return [
    memory('a session of Service A', added, SESSIONS),
    memory('an introspection answer', put, ANSWERS),
    cpu('a session that begins', added),
    cpu('a session that is found', found),
    cpu('an answer that is kept', put),
    cpu('an answer that is looked for', looked),
  ];
}
