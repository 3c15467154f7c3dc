import { setTimeout as sleep } from 'node:timers/promises';
import { RUN_CHAIN, startChain } from '../measure/chain.mjs';
import { allAnswered, atRate, closedLoop } from '../measure/load.mjs';
import { paired, WARM_UP_REQUESTS, warmed, warmedAgain } from '../measure/rounds.mjs';
import { percentile } from '../measure/statistics.mjs';
import { figure } from '../report.mjs';

export const name = 'half-load';
export const title = 'p99 of the chain at half of its own maximum, beside plain Fastify and undici';

const PROGRAMS = ['limit', 'services'];
const SECONDS = 5;
/** Several turns of each chain are necessary, since a shared machine has slow moments. */
const TURNS = 4;
const PAUSE_MS = 500;
/** The measurement skips this time, because the introspection results expired while the other chain ran. */
const LEAD_IN_SECONDS = 1;

export async function run({ keycloak, rounds, scale, say, signal }) {
  const results = { limit: [], services: [] };
  for (let round = 1; round <= rounds; round += 1) {
    const chains = [];
    for (const program of round % 2 === 1 ? PROGRAMS : PROGRAMS.toReversed()) {
      const chain = await startChain(keycloak, { program, signal });
      const warmUp = { url: chain.a.url, request: RUN_CHAIN, requests: WARM_UP_REQUESTS, signal };
      chains.push({
        ...(await warmed(async () => allAnswered(await closedLoop(warmUp)))),
        program,
        chain,
        slices: [],
        pauses: [],
      });
    }
    await warmedAgain(chains, signal);
    for (const one of chains) {
      const { url } = one.chain.a;
      const fastest = await closedLoop({ url, request: RUN_CHAIN, seconds: SECONDS, signal });
      one.rate = fastest.requests / fastest.seconds / 2;
    }
    for (let turn = 0; turn < TURNS * scale; turn += 1) {
      for (const { chain, rate, slices, pauses } of chains) {
        signal.throwIfAborted();
        await sleep(PAUSE_MS);
        const load = { url: chain.a.url, request: RUN_CHAIN, rate, signal };
        allAnswered(await atRate({ ...load, seconds: LEAD_IN_SECONDS }));
        await Promise.all(chain.processes.map((one) => one.ask('collectionsBegin')));
        const half = await atRate({ ...load, seconds: SECONDS });
        allAnswered(half);
        slices.push(half.answers.map(({ latencyMs }) => latencyMs));
        pauses.push((await Promise.all(chain.processes.map((one) => one.ask('collectionsEnd')))).flat());
      }
    }
    for (const { program, chain, rate, slices, pauses } of chains) {
      const of = (p) =>
        percentile(
          slices.map((slice) => percentile(slice, p)),
          0.5,
        );
      const all = pauses.flat();
      const collected = {
        perSecond: all.length / (pauses.length * SECONDS),
        ms: percentile(all, 0.5),
        mostMs: Math.max(...all),
      };
      const result = { p50: of(0.5), p99: of(0.99), ...collected };
      results[program].push(result);
      say(
        `round ${round}: ${program}: ${rate.toFixed(0)} requests/s: p50 ${result.p50.toFixed(2)} ms, p99 ${result.p99.toFixed(2)} ms`,
      );
      await chain.stop();
    }
  }
  const { limit, services } = results;
  return [
    figure(
      'chain at half load: p99, of the limit at half of its own',
      paired(services, limit, (ours, least) => ours.p99 / least.p99),
      { unit: '×', must: { atMost: 2 }, aim: { atMost: 1.5 }, note: `Node ${process.version}` },
    ),
    ...PROGRAMS.flatMap((program) => [
      figure(`${program} at half load: p99, of p50`, ratios(results[program]), { unit: '×' }),
      figure(
        `${program} at half load: p99, on this machine`,
        results[program].map(({ p99 }) => p99),
        { unit: 'ms' },
      ),
      figure(
        `${program} at half load: collections of garbage a second, A + B + C`,
        results[program].map(({ perSecond }) => perSecond),
      ),
      figure(
        `${program} at half load: a collection of garbage`,
        results[program].map(({ ms }) => ms),
        { unit: 'ms' },
      ),
      figure(
        `${program} at half load: the longest collection of garbage`,
        results[program].map(({ mostMs }) => mostMs),
        { unit: 'ms' },
      ),
    ]),
  ];
}

const ratios = (all) => all.map(({ p50, p99 }) => p99 / p50);
