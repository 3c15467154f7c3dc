import { serviceOf } from '../measure/chain.mjs';
import { startCounter } from '../measure/counter.mjs';
import { passwordToken } from '../measure/keycloak.mjs';
import { allAnswered, atRate, closedLoop } from '../measure/load.mjs';
import { percentile, written } from '../measure/statistics.mjs';
import { figure, verdict } from '../report.mjs';

export const name = 'hung-keycloak';
export const title = 'Keycloak takes calls and answers none: cached and uncached traffic, and the event loop';

const RATE = 200;
/** Keycloak hangs for less than the cache time of introspection results (10 s). */
const HUNG_SECONDS = 8;
const UNCACHED = 40;
/** The default value of the option `timeoutMs`. */
const DEADLINE_MS = 3000;
const GRACE_MS = 500;

export async function run({ keycloak, start, say, signal }) {
  const counter = await startCounter(keycloak, start);
  const service = await serviceOf('service-a', counter.keycloak, { signal });
  const withToken = (token) => ({ path: '/api/orders/9876', headers: { authorization: `Bearer ${token}` } });
  const uncached = [];
  while (uncached.length < UNCACHED) uncached.push(withToken(await passwordToken(keycloak)));
  const warm = { url: service.url, request: withToken(await passwordToken(keycloak)) };
  allAnswered(await closedLoop({ ...warm, requests: 5000, signal }));
  const quiet = await atRate({ ...warm, rate: RATE, seconds: HUNG_SECONDS, signal });
  allAnswered(quiet);

  const cached = { url: service.url, request: withToken(await passwordToken(keycloak)) };
  allAnswered(await closedLoop({ ...cached, requests: 1, connections: 1 }));
  await counter.hang();
  await service.ask('delayBegin');
  const [served, refused] = await Promise.all([
    atRate({ ...cached, rate: RATE, seconds: HUNG_SECONDS, signal }),
    atRate({ url: service.url, request: (n) => uncached[n], rate: UNCACHED / 5, seconds: 5, signal }),
  ]);
  const delay = await service.ask('delayEnd');

  const p99 = (result) =>
    percentile(
      result.answers.map(({ latencyMs }) => latencyMs),
      0.99,
    );
  const slowest = Math.max(...refused.answers.map(({ latencyMs }) => latencyMs));
  say(
    `p99 of cached: quiet ${written(p99(quiet))} ms, hung ${written(p99(served))} ms; event loop ${JSON.stringify(delay)}`,
  );
  return [
    verdict(
      'hung Keycloak: cached traffic',
      isAll(served, 200),
      `${inWords(served)}, p99 ${written(p99(served))} ms (quiet ${written(p99(quiet))} ms)`,
      'all 200',
    ),
    verdict(
      'hung Keycloak: uncached traffic',
      isAll(refused, 503) && slowest <= DEADLINE_MS + GRACE_MS,
      `${inWords(refused)}, the slowest after ${written(slowest)} ms`,
      `all 503, within ${DEADLINE_MS} ms and ${GRACE_MS} ms of grace`,
    ),
    figure('hung Keycloak: event-loop delay, p99', [delay.p99Ms], {
      unit: 'ms',
      must: { atMost: 50 },
      aim: { atMost: 50 },
    }),
  ];
}

const isAll = ({ statuses }, status) => Object.keys(statuses).every((code) => Number(code) === status);

const inWords = ({ statuses }) =>
  Object.entries(statuses)
    .map(([status, times]) => `${times} × ${status}`)
    .join(', ');
