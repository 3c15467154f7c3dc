import { serviceOf } from '../measure/chain.mjs';
import { startCounter } from '../measure/counter.mjs';
import { passwordToken } from '../measure/keycloak.mjs';
import { allAnswered, atRate } from '../measure/load.mjs';
import { median, percentile, written } from '../measure/statistics.mjs';
import { figure, verdict } from '../report.mjs';

export const name = 'junk-flood';
export const title = '5,000 distinct junk tokens while valid traffic flows: calls in flight, and p99 of the valid';

const PATH = '/api/orders/9876';
const JUNK = 5000;
const JUNK_CONNECTIONS = 100;
/** The rate per second is low, since a flood at full speed would use the whole core and increase the latencies. */
const PACED_JUNK_RATE = 200;
const RATE = 200;
const QUIET_SECONDS = 15;
const MAX_CONCURRENT_CALLS = 20;

export async function run({ keycloak, start, rounds, say, signal }) {
  const counter = await startCounter(keycloak, start);
  const service = await serviceOf('service-a', counter.keycloak, { signal });
  const headers = { authorization: `Bearer ${await passwordToken(keycloak)}` };
  const valid = { url: service.url, request: { path: PATH, headers }, rate: RATE };
  const flood = [service.url, PATH, JUNK, JUNK_CONNECTIONS, PACED_JUNK_RATE].map(String);
  const junk = await start('junk', ['bench/servers/junk-load.mjs', ...flood], { aside: true });
  const all = [];
  for (let round = 0; round <= rounds; round += 1) {
    const quiet = await atRate({ ...valid, seconds: QUIET_SECONDS, signal });
    allAnswered(quiet);
    await counter.reset();
    const flooded = await validDuring(() => junk.ask('asFastAsAnswered'), { valid, signal });
    const { 'token/introspect': inFlight } = await counter.mostInFlight();
    const paced = await validDuring(() => junk.ask('paced'), { valid, signal });
    const [quietMs, floodedMs, pacedMs] = [quiet, flooded, paced].map(p99);
    say(
      `${round === 0 ? 'warm-up' : `round ${round}`}: p99 quiet ${written(quietMs)} ms, flooded ${written(floodedMs)} ms, ` +
        `at ${PACED_JUNK_RATE} junk/s ${written(pacedMs)} ms; in flight ${inFlight}`,
    );
    if (round > 0) all.push({ quietMs, floodedMs, pacedMs, inFlight });
  }
  const mostInFlight = Math.max(...all.map(({ inFlight }) => inFlight));
  const medianOf = (key) => written(median(all.map((one) => one[key])));
  return [
    verdict(
      'junk flood: calls that Keycloak had in hand at once',
      mostInFlight <= MAX_CONCURRENT_CALLS,
      `${mostInFlight} at most`,
      `≤ ${MAX_CONCURRENT_CALLS} (maxConcurrentCalls)`,
    ),
    figure(
      `5,000 junk tokens at ${PACED_JUNK_RATE}/s: p99 of valid requests (${RATE}/s), of their quiet p99`,
      all.map(({ pacedMs, quietMs }) => pacedMs / quietMs),
      {
        unit: '×',
        must: { atMost: 2 },
        aim: { atMost: 2 },
        note: `quiet ${medianOf('quietMs')} ms, flooded ${medianOf('pacedMs')} ms`,
      },
    ),
    figure(
      `5,000 junk tokens as fast as ${JUNK_CONNECTIONS} connections are answered: the same`,
      all.map(({ floodedMs, quietMs }) => floodedMs / quietMs),
      { unit: '×', note: `flooded ${medianOf('floodedMs')} ms` },
    ),
  ];
}

async function validDuring(flood, { valid, signal }) {
  const stop = new AbortController();
  const served = atRate({ ...valid, seconds: 120, signal: AbortSignal.any([signal, stop.signal]) });
  const statuses = await flood();
  stop.abort();
  if (Object.keys(statuses).some((status) => !['401', '503'].includes(status))) {
    throw new Error(`Junk tokens got the statuses ${JSON.stringify(statuses)}`);
  }
  const result = await served;
  allAnswered(result);
  return result;
}

const p99 = ({ answers }) =>
  percentile(
    answers.map(({ latencyMs }) => latencyMs),
    0.99,
  );
