// A flood of junk: 5,000 tokens that are well-formed and nobody's, while others with a good one are served.
import { serviceOf } from '../measure/chain.mjs';
import { startCounter } from '../measure/counter.mjs';
import { passwordToken } from '../measure/keycloak.mjs';
import { allAnswered, atRate, closedLoop } from '../measure/load.mjs';
import { paired } from '../measure/rounds.mjs';
import { median, percentile, written } from '../measure/statistics.mjs';
import { junkToken } from '../measure/junk.mjs';
import { figure, verdict } from '../report.mjs';

export const name = 'junk-flood';
export const title = '5,000 distinct junk tokens while valid traffic flows: calls in flight, and p99 of the valid';

const JUNK = 5000;
const JUNK_CONNECTIONS = 100;
const RATE = 200;
const QUIET_SECONDS = 5;
const MAX_CONCURRENT_CALLS = 20;

export async function run({ keycloak, start, rounds, say, signal }) {
  const counter = await startCounter(keycloak, start);
  const service = await serviceOf('service-a', counter.keycloak, { signal });
  const headers = { authorization: `Bearer ${await passwordToken(keycloak)}` };
  const valid = { url: service.url, request: { path: '/api/orders/9876', headers }, rate: RATE };
  const quiet = [];
  const flooded = [];
  const mostInFlight = [];
  // One more, whose figures are dropped: what is built on first use is no effect of a flood.
  for (let round = 0; round <= rounds; round += 1) {
    const before = await atRate({ ...valid, seconds: QUIET_SECONDS, signal });
    allAnswered(before);
    await counter.reset();
    const stopValid = new AbortController();
    const during = atRate({ ...valid, seconds: 60, signal: AbortSignal.any([signal, stopValid.signal]) });
    const flood = await closedLoop({
      url: service.url,
      request: () => ({ path: '/api/orders/9876', headers: { authorization: `Bearer ${junkToken()}` } }),
      requests: JUNK,
      connections: JUNK_CONNECTIONS,
      signal,
    });
    stopValid.abort();
    const served = await during;
    allAnswered(served);
    const { 'token/introspect': inFlight } = await counter.mostInFlight();
    const p99 = (result) =>
      percentile(
        result.answers.map(({ latencyMs }) => latencyMs),
        0.99,
      );
    say(
      `${round === 0 ? 'warm-up' : `round ${round}`}: p99 quiet ${written(p99(before))} ms, flooded ${written(p99(served))} ms; ` +
        `junk ${JSON.stringify(flood.statuses)} in ${flood.seconds.toFixed(1)} s; in flight ${inFlight}`,
    );
    if (round === 0) continue;
    quiet.push(p99(before));
    flooded.push(p99(served));
    mostInFlight.push(inFlight);
    if (Object.keys(flood.statuses).some((status) => !['401', '503'].includes(status))) {
      throw new Error(`Junk was answered ${JSON.stringify(flood.statuses)}`);
    }
  }
  return [
    verdict(
      'junk flood: calls that Keycloak had in hand at once',
      Math.max(...mostInFlight) <= MAX_CONCURRENT_CALLS,
      `${Math.max(...mostInFlight)} at most`,
      `≤ ${MAX_CONCURRENT_CALLS} (maxConcurrentCalls)`,
    ),
    figure(
      'junk flood: p99 of valid requests, of their quiet p99',
      paired(flooded, quiet, (a, b) => a / b),
      {
        unit: '×',
        must: { atMost: 2 },
        aim: { atMost: 2 },
        note: `quiet ${written(median(quiet))} ms, flooded ${written(median(flooded))} ms`,
      },
    ),
  ];
}
