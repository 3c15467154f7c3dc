import { setTimeout as sleep } from 'node:timers/promises';
import { RUN_CHAIN, startChain } from '../measure/chain.mjs';
import { ownKeycloak, passwordToken } from '../measure/keycloak.mjs';
import { allAnswered, atRate, closedLoop } from '../measure/load.mjs';
import { written } from '../measure/statistics.mjs';
import { figure, verdict } from '../report.mjs';

export const name = 'keycloak-restart';
export const title = 'the real Keycloak killed and restarted under load: cached tokens, and when errors stop';

const TOKENS = 10;
const RATE = 50;
const TTL_MS = 10_000;
/** The maximum time from the planned start of a request to its cache lookup. */
const GRACE_MS = 250;
const AFTER_SECONDS = 8;

export async function run({ say, signal }) {
  let keycloak = await ownKeycloak({ say, signal });
  try {
    const chain = await startChain(keycloak, { signal });
    allAnswered(await closedLoop({ url: chain.a.url, request: RUN_CHAIN, requests: 1000, signal }));
    const tokens = [];
    while (tokens.length < TOKENS) tokens.push(await passwordToken(keycloak));
    const request = (n) => ({ path: '/api/orders/9876', headers: { authorization: `Bearer ${tokens[n % TOKENS]}` } });
    const cachedAt = performance.now();
    allAnswered(await closedLoop({ url: chain.a.url, request, requests: TOKENS, connections: TOKENS }));

    const end = new AbortController();
    const until = { rate: RATE, seconds: 600, signal: AbortSignal.any([signal, end.signal]) };
    const cached = atRate({ url: chain.a.url, request, ...until });
    const chained = atRate({ url: chain.a.url, request: RUN_CHAIN, ...until });
    const { port } = new URL(keycloak.baseUrl);
    await keycloak.stop();
    const downAt = performance.now();
    say(`Down after ${written((downAt - cachedAt) / 1000)} s`);
    await sleep(Math.max(0, cachedAt + TTL_MS + 2000 - downAt), undefined, { signal });
    keycloak = await ownKeycloak({ say, signal, port: Number(port) });
    const readyAt = performance.now();
    await sleep(AFTER_SECONDS * 1000, undefined, { signal });
    end.abort();
    return evaluated({ cached: await cached, chained: await chained, cachedAt, readyAt, downAt });
  } finally {
    await keycloak.stop();
  }
}

function evaluated({ cached, chained, cachedAt, readyAt, downAt }) {
  const failed = ({ status }) => status === 0 || status >= 500;
  const withinTtl = cached.answers.filter(({ sentMs }) => sentMs < cachedAt + TTL_MS - GRACE_MS);
  const whileDown = withinTtl.filter(({ sentMs }) => sentMs >= downAt);
  const failures = withinTtl.filter(failed).length;
  const outage = chained.answers.filter((answer) => failed(answer) && answer.sentMs < readyAt).length;
  const lastFailure = Math.max(
    readyAt,
    ...[...chained.answers, ...cached.answers].filter(failed).map(({ sentMs }) => sentMs),
  );
  const served = chained.answers.filter(({ status, sentMs }) => status === 200 && sentMs > readyAt).length;
  if (outage === 0) throw new Error('No request failed, so Keycloak did not stop');
  return [
    verdict(
      'Keycloak killed: 5xx for cached tokens within their ttl',
      failures === 0 && whileDown.length > 0,
      `${failures} of ${withinTtl.length}, ${whileDown.length} of them while it was gone`,
      'none',
    ),
    figure('Keycloak restarted: the last 5xx after it is ready', [(lastFailure - readyAt) / 1000], {
      unit: 's',
      must: { atMost: 2 },
      aim: { atMost: 2 },
      note: `${outage} failed before, ${served} chained requests served after`,
    }),
  ];
}
