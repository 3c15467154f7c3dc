import { CLIENT_ID, fleetCalls, PERIOD_SECONDS, REPLICAS } from '../measure/fleet.mjs';
import { cachedP99, hotProcess } from '../measure/hot-process.mjs';
import { readTokens, writeTokens } from '../measure/hot-tokens.mjs';
import { keycloakFacts } from '../measure/keycloak-facts.mjs';
import { written } from '../measure/statistics.mjs';
import { startValkey } from '../measure/valkey.mjs';
import { figure, verdict } from '../report.mjs';

export const name = 'keycloak-load';
export const title =
  'calls to Keycloak, event rows, memory and p99 by services and hot tokens (valkey-server on the path)';

const SERVICES = [1, 10, 40];
const TOKENS = [100, 10_000, 200_000];
const [FEW, , MANY] = TOKENS;
const MODES = { ttl: 'ttl 10', feed: 'feed', jwt: 'JWT' };

/** With 200,000 tokens, only this share of the services or tokens runs, unless `--scale` is 5. */
const SHARE_OF_MANY = 1 / 5;

const DEFAULT_ENTRIES = { ttl: 10_000, feed: 10_000, exchange: 1000 };
/** Above this share of the default, the measured services have larger caches. */
const FULL = 0.8;
/** The tokens of a service whose caches are too small, as a multiple of the default. */
const TOO_MANY = 1.25;

/** The bounds of measured calls, as a multiple of the formula. */
const WITHIN = [0.95, 1.05];
/** A replica uses the result of another replica only if the result is recent, so some replicas ask for themselves. */
const WITHIN_OF_FEED = [1, 1.4];

export async function run(bench) {
  const valkey = await startValkey();
  const issuer = await bench.start('issuer', ['bench/servers/issuer.mjs', CLIENT_ID, 'EdDSA'], { aside: true });
  const tokens = await writeTokens(issuer, MANY);
  const parts = { ...bench, issuer, tokensFile: tokens.path, valkey };
  try {
    const facts = await keycloakFacts(bench, valkey);
    return [
      ...factFigures(facts),
      ...(await callFigures(parts, facts)),
      ...(await notFlat(parts)),
      ...(await memory(parts)),
      ...(await latency(parts)),
    ];
  } finally {
    valkey.stop();
    tokens.remove();
  }
}

function factFigures({ perSecond, rows, poller }) {
  return [
    ...Object.entries(perSecond).map(([kind, value]) => figure(`Keycloak here: ${kind}`, [value], { unit: '/s' })),
    ...Object.entries(rows).flatMap(([types, ofKind]) =>
      Object.entries(ofKind).map(([kind, count]) => figure(`event rows per ${kind}, with ${types}`, [count])),
    ),
    figure('a poller: requests', [poller.requests], { unit: '/s' }),
    figure('a poller: event rows', [poller.rows], { unit: '/s' }),
  ];
}

/** The verification does not change the exchanges, so each cell measures the exchanges once for all modes. */
async function callFigures(parts, facts) {
  const figures = [];
  for (const services of SERVICES) {
    const jwt = await fleetCalls(parts, { kind: 'keys', services, tokens: FEW, shared: false });
    for (const tokens of TOKENS) {
      const cell = { services, tokens, share: tokens < MANY ? 1 : Math.min(1, SHARE_OF_MANY * parts.scale) };
      const [ttl, feed, exchange] = [
        await sized(parts, { ...cell, kind: 'ttl' }),
        await sized(parts, { ...cell, kind: 'feed' }),
        await sized(parts, { ...cell, kind: 'exchange' }),
      ];
      figures.push(...figuresOf({ ...cell, ttl, feed, jwt, exchange }, facts));
    }
  }
  return figures;
}

async function sized(parts, { kind, services, share, tokens }) {
  const perService = tokens / services;
  const maxEntries = perService > DEFAULT_ENTRIES[kind] * FULL ? Math.ceil(perService * 1.25) : 0;
  const cell = await fleetCalls(parts, { kind, services, share, tokens, maxEntries });
  const { perSecond, faults } = cell;
  const late = faults.count === 0 ? '' : `, ${faults.count} faults: ${faults.last}`;
  parts.say(`${where(services, tokens)}, ${kind}: ${written(perSecond)} calls/s${late}`);
  return cell;
}

const where = (services, tokens) => `${services} × ${REPLICAS}, ${tokens.toLocaleString('en')} tokens`;

function figuresOf({ services, tokens, share, exchange, ...modes }, { rows, poller }) {
  const at = where(services, tokens);
  const how =
    share === 1
      ? ''
      : `; computed from ${services === 1 ? tokens * share : services * share} ${services === 1 ? 'tokens' : 'services'}`;
  const perExchange = rows["Keycloak's default types"].exchange;
  const calls = Object.entries(MODES).map(([mode, text]) => {
    const [ofPoller, rowsOfPoller] = mode === 'feed' ? [poller.requests, poller.rows] : [0, 0];
    const eventRows = exchange.perSecond * perExchange + rowsOfPoller;
    const note = `exchanges ${written(exchange.perSecond)}, event rows ${written(eventRows)}/s${how}`;
    return figure(`${at}, ${text}: calls`, [modes[mode].perSecond + exchange.perSecond + ofPoller], {
      unit: '/s',
      note,
    });
  });
  const { ttl, feed } = modes;
  return [
    ...calls,
    figure(`${at}: Valkey`, [exchange.valkeyBytes / 1e6], { unit: 'MB', note: 'results and tokens' }),
    ofFormula(`${at}, ttl 10: introspections`, ttl.perSecond, tokens / PERIOD_SECONDS.ttl),
    ofFormula(`${at}, feed: introspections`, feed.perSecond, tokens / PERIOD_SECONDS.feed, WITHIN_OF_FEED),
    ofFormula(`${at}: exchanges`, exchange.perSecond, tokens / PERIOD_SECONDS.exchange),
  ];
}

function ofFormula(text, measured, computed, [atLeast, atMost] = WITHIN) {
  const ratio = measured / computed;
  const seen = `${written(measured)} for ${written(computed)}: ${written(ratio)} ×`;
  return verdict(`${text}, of the formula`, ratio >= atLeast && ratio <= atMost, seen, `${atLeast} to ${atMost} ×`);
}

/** Measures what the defaults cost, and what the option changes. */
async function notFlat(parts) {
  const figures = [];
  const add = async (text, cell) => {
    const { perSecond, requestsPerSecond, looksPerSecond } = await fleetCalls(parts, { services: 1, ...cell });
    const note = `${written(requestsPerSecond)} requests/s, ${written(looksPerSecond)} lookups in Valkey/s`;
    figures.push(figure(`1 × ${REPLICAS}, ${text}: calls`, [perSecond], { unit: '/s', note }));
  };
  for (const [kind, option, window] of [
    ['ttl', 'maxCachedIntrospections', 1],
    ['exchange', 'maxCachedTokens', 85],
  ]) {
    const tokens = DEFAULT_ENTRIES[kind] * TOO_MANY;
    const cell = { kind, tokens, window, isMissed: true };
    const text = `${tokens.toLocaleString('en')} tokens, ${option}`;
    await add(`${text} too small, nothing shared`, { ...cell, shared: false });
    await add(`${text} too small, sharedCache`, cell);
    await add(`${text} large enough, nothing shared`, { ...cell, shared: false, maxEntries: 2 * tokens });
    await add(`${text} large enough, sharedCache`, { ...cell, maxEntries: 2 * tokens });
  }
  await add('2,000 tokens, feed, nothing shared', { kind: 'feed', tokens: 2000, shared: false });
  await add('2,000 tokens, feed, sharedCache', { kind: 'feed', tokens: 2000 });
  return figures;
}

async function memory(parts) {
  const figures = [];
  for (const services of SERVICES) {
    for (const tokens of TOKENS) {
      const seen = [];
      for (const kind of Object.keys(MODES)) {
        const { server, rss, heapUsed } = await hotProcess(parts, kind, Math.ceil(tokens / services));
        seen.push({ kind, rss, heapUsed });
        await server.stop();
      }
      const note = seen
        .map(({ kind, rss, heapUsed }) => `${MODES[kind]} ${mega(rss)}, heap ${mega(heapUsed)}`)
        .join('; ');
      parts.say(`${where(services, tokens)}, memory: ${note}`);
      const most = Math.max(...seen.map(({ rss }) => rss)) / 1e6;
      figures.push(figure(`${where(services, tokens)}: memory of a process`, [most], { unit: 'MB', note }));
    }
  }
  return figures;
}

const mega = (bytes) => written(Math.round(bytes / 1e6));

async function latency({ rounds, say, signal, ...parts }) {
  const file = readTokens(parts.tokensFile);
  const figures = [];
  for (const [kind, text] of Object.entries(MODES)) {
    const [few, many] = [await hotProcess(parts, kind, FEW), await hotProcess(parts, kind, MANY)];
    const p99 = async ({ server }, tokens, round) => cachedP99({ server, file, tokens, round, signal });
    const ratios = [];
    for (let round = 0; round <= rounds; round += 1) {
      const order = [() => p99(few, FEW, round), () => p99(many, MANY, round)];
      const isTurned = round % 2 === 1;
      const seen = [await order[isTurned ? 1 : 0](), await order[isTurned ? 0 : 1]()];
      const [fewMs, manyMs] = isTurned ? seen.toReversed() : seen;
      say(`${text}, round ${round}: p99 ${written(fewMs)} ms with ${FEW} tokens, ${written(manyMs)} ms with ${MANY}`);
      // The first round warms up.
      if (round > 0) ratios.push({ fewMs, manyMs });
    }
    await Promise.all([few.server.stop(), many.server.stop()]);
    const ms = (which) => written(ratios.map((one) => one[which]).toSorted((a, b) => a - b)[ratios.length >> 1]);
    figures.push(
      figure(
        `${text}: p99 of cached requests with 200,000 tokens, of that with 100`,
        ratios.map(({ fewMs, manyMs }) => manyMs / fewMs),
        { unit: '×', must: { atMost: 3 }, aim: { atMost: 3 }, note: `${ms('fewMs')} ms, ${ms('manyMs')} ms` },
      ),
    );
  }
  return figures;
}
