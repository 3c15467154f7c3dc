import { observedChain } from '../measure/observed-chain.mjs';
import { sharing } from '../measure/replicas.mjs';
import { interleaved } from '../measure/rounds.mjs';
import { preparedRealm, startPoller } from '../measure/signals.mjs';
import { median } from '../measure/statistics.mjs';
import { freshFor, userTokens } from '../measure/user-tokens.mjs';
import { startValkey } from '../measure/valkey.mjs';
import { figure } from '../report.mjs';

export const name = 'production';
export const title =
  'the chain for 50 users and 10 % new tokens, with log, metrics, traces, Valkey and feed (valkey-server on the path)';

const REQUESTS = 18_000;
const SLICES = 36;

const WARM_UP = 10_000;

/** A contender warms up twice, and each slice begins with requests that are not counted. */
const sentOf = ({ requests, warmUp }) => 2 * warmUp + 1.2 * requests;

/** All tokens must outlast the scenario. */
const LONG = 6 * 3600;
const LONG_SESSIONS = { accessTokenLifespan: LONG, ssoSessionIdleTimeout: LONG, ssoSessionMaxLifespan: 2 * LONG };

/** Without demo mode, a service accepts no published secret, and no caller's `traceparent` starts a Server-Timing. */
const NAMES = ['service-a', 'service-b', 'service-c'];
const SECRET = 'a secret of the bench alone, as in production';
const NO_DEMO = {
  DEMO_MODE: 'false',
  SERVICE_A_SESSION_SECRET: SECRET,
  ...Object.fromEntries(NAMES.map((service) => [`${service.toUpperCase().replace('-', '_')}_CLIENT_SECRET`, SECRET])),
};

const LOG = { REQUEST_LOG: 'true' };
const FEED = { INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS: '300' };

const ALONE = { preloads: ['pino-alone'] };
const WITHOUT_MODULE = { preloads: ['without-module'] };

const PARTS = [
  { part: 'request log', floor: 'pino alone', must: 8, aim: 4 },
  { part: 'metrics', floor: 'metrics without the module', must: 6, aim: 3 },
  { part: 'traces, 5 %', floor: 'traces without the module, 5 %', must: 5, aim: 2 },
  { part: 'Valkey and feed', must: 3, aim: 1 },
];
const TRACES = [
  { part: 'traces, 1 %', floor: 'traces without the module, 1 %', must: 5, aim: 2 },
  { part: 'traces, 100 %', floor: 'traces without the module, 100 %', must: 40, aim: 20 },
];
const [USUAL_FLOOR, USUAL] = ['bare Nest', 'bare Nest with the usual packages'];

export async function run(bench) {
  const valkeys = [await startValkey(), await startValkey()];
  const realm = await preparedRealm(bench.keycloak, LONG_SESSIONS);
  const clients = await withOwnSecrets(realm);
  try {
    const size = { requests: REQUESTS * bench.scale, warmUp: WARM_UP * bench.scale };
    const tokens = await userTokens(bench.keycloak, realm, { fresh: freshFor(sentOf(size)), signal: bench.signal });
    const collector = await bench.start('collector', ['bench/servers/upstream.mjs'], { aside: true });
    const chain = (label, options) =>
      observedChain(label, bench, {
        tokens,
        sampledUntil: size.warmUp,
        ...options,
        env: { ...NO_DEMO, ...options?.env },
      });
    const all = await contenders(bench, chain, { collector, valkeys, known: { known: tokens.known } });
    const rounds = (chosen) => interleaved(chosen, { ...bench, ...size, slices: SLICES });
    return [
      ...partFigures(await rounds(all.parts)),
      ...traceFigures(await rounds(all.traces)),
      ...knownFigures(await rounds(all.known)),
    ];
  } finally {
    for (const valkey of valkeys) valkey.stop();
    await clients.restore();
    await realm.restore();
  }
}

async function withOwnSecrets({ read, change }) {
  const clients = await Promise.all(NAMES.map(async (id) => (await read(`/clients?clientId=${id}`))[0]));
  const put = async (given) => {
    for (const client of clients) await change('PUT', `/clients/${client.id}`, { ...client, ...given });
  };
  await put({ secret: SECRET });
  return { restore: () => put({}) };
}

async function contenders(bench, chain, { collector, valkeys, known }) {
  const traces = (share) => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: share,
  });
  const [shared, sharedByAll] = await Promise.all(valkeys.map((valkey) => withFeed(bench, valkey)));
  const traced = (percent, share) => [
    chain(`traces without the module, ${percent} %`, { ...WITHOUT_MODULE, env: traces(share) }),
    chain(`traces, ${percent} %`, { env: traces(share) }),
  ];
  return {
    parts: [
      chain('bare'),
      chain('pino alone', ALONE),
      chain('request log', { env: LOG }),
      chain('metrics without the module', { ...WITHOUT_MODULE, isScraped: true }),
      chain('metrics', { isScraped: true }),
      ...traced('5', '0.05'),
      chain('Valkey and feed', shared),
      chain('all', { ...sharedByAll, env: { ...LOG, ...traces('0.05'), ...sharedByAll.env }, isScraped: true }),
    ],
    traces: [
      chain('bare'),
      ...traced('1', '0.01'),
      ...traced('100', '1'),
      chain(USUAL_FLOOR, { program: 'nest' }),
      chain(USUAL, { program: 'usual nest', env: traces('0.05'), isScraped: true, metricsPath: '/metrics' }),
    ],
    known: [chain('bare', { tokens: known }), chain('Valkey and feed', { ...shared, tokens: known })],
  };
}

/** Each round has the same tokens, so the second level must not keep the entries of the round before. */
async function withFeed({ keycloak, signal }, valkey) {
  const state = sharing(valkey.url, { level2: false });
  await startPoller(keycloak, state, signal);
  const env = { ...state, SHARED_ANSWERS_URL: `${valkey.url}/1`, ...FEED };
  const prepare = async () => {
    await valkey.command('SELECT', '1');
    await valkey.command('FLUSHDB');
    await valkey.command('SELECT', '0');
  };
  return { env, prepare };
}

const micros = (of) => of.map(({ cpuMicros }) => cpuMicros);

/** Compares slices of the same moment. Each round has the median of its slices. */
const compared = (rounds, compare) =>
  rounds[0].map((_, round) => {
    const slices = rounds.map((of) => of[round].slices);
    return median(slices[0].map((_first, at) => compare(...slices.map((of) => of[at].cpuMicros))));
  });

const added = (one, below) => compared([one, below], (a, b) => a - b);

const share = (results, one, below) =>
  compared([results[one], results[below], results.bare], (a, b, bare) => ((a - b) / bare) * 100);

const partFigure = (results, { part, floor = 'bare', must, aim }) =>
  figure(`${part}: CPU above ${floor}, of the bare chain`, share(results, part, floor), {
    unit: '%',
    must: { atMost: must },
    aim: { atMost: aim },
  });

const floorFigures = (results, parts) =>
  parts
    .filter(({ floor }) => floor !== undefined)
    .map(({ floor }) =>
      figure(`floor: ${floor}: CPU above the bare chain`, share(results, floor, 'bare'), { unit: '%' }),
    );

function partFigures(results) {
  const parts = PARTS.map(({ part }) => share(results, part, 'bare'));
  const all = share(results, 'all', 'bare');
  const aboveSum = all.map((value, round) => value - parts.reduce((total, of) => total + of[round], 0));
  return [
    ...PARTS.map((part) => partFigure(results, part)),
    figure('all together, traces 5 %: CPU above the sum of the parts, of the bare chain', aboveSum, {
      unit: '%',
      must: { atMost: 5 },
    }),
    figure('all together, traces 5 %: CPU above the bare chain', all, { unit: '%' }),
    ...floorFigures(results, PARTS),
    figure('all together: added CPU per request, on this machine', added(results.all, results.bare), { unit: 'µs' }),
    figure('bare chain: CPU per request, A + B + C, on this machine', micros(results.bare), { unit: 'µs' }),
  ];
}

const knownFigures = (results) => [
  figure('Valkey and feed, known tokens: CPU above bare', share(results, 'Valkey and feed', 'bare'), { unit: '%' }),
  figure('bare chain, known tokens: CPU per request, on this machine', micros(results.bare), { unit: 'µs' }),
];

function traceFigures(results) {
  const [usual, nest] = [results[USUAL], results[USUAL_FLOOR]];
  const ofNest = compared([usual, nest], (a, b) => ((a - b) / b) * 100);
  return [
    ...TRACES.map((part) => partFigure(results, part)),
    ...floorFigures(results, TRACES),
    figure('usual packages: CPU above a chain of bare Nest, of that chain', ofNest, { unit: '%' }),
    figure('usual packages: added CPU per request, on this machine', added(usual, nest), { unit: 'µs' }),
    figure('chain of bare Nest: CPU per request, A + B + C, on this machine', micros(nest), { unit: 'µs' }),
  ];
}
