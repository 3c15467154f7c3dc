import { figure } from '../report.mjs';
import { chainContender } from '../measure/contenders.mjs';
import { AT_REFERENCE, atReference, bareHandler } from '../measure/reference.mjs';
import { interleaved, paired } from '../measure/rounds.mjs';

export const name = 'chain-cpu';
export const title = 'CPU per chained request, and the chain against its open twin';

const REQUESTS = 9_000;

export async function run(bench) {
  const { rounds, scale, say, signal } = bench;
  const contenders = [
    bareHandler(bench),
    chainContender('off', bench, { program: 'open' }),
    chainContender('on', bench),
    chainContender('limit', bench, { program: 'limit' }),
    chainContender('limit with a token', bench, { program: 'bearer' }),
  ];
  const results = await interleaved(contenders, { rounds, requests: REQUESTS * scale, say, signal });
  const { on, off, limit } = results;
  const cpu = (of) => of.map(({ cpuMicros }) => cpuMicros);
  return [
    figure('chain: CPU per request, A + B + C', atReference(cpu(on), results), {
      unit: 'µs',
      must: { atMost: 350 },
      aim: { atMost: 250 },
      note: AT_REFERENCE,
    }),
    figure(
      'chain on against off: throughput of a core',
      paired(on, off, (a, b) => (b.cpuMicros / a.cpuMicros) * 100),
      { unit: '%', must: { atLeast: 90 }, aim: { atLeast: 95 } },
    ),
    figure(
      'chain on against off: requests/s',
      paired(on, off, (a, b) => (a.perSecond / b.perSecond) * 100),
      { unit: '%' },
    ),
    figure(
      'what security adds: CPU per request',
      paired(on, off, (a, b) => a.cpuMicros - b.cpuMicros),
      { unit: 'µs' },
    ),
    figure(
      'what a token in each call and one look into a map add to the limit of the chain: CPU per request',
      paired(results['limit with a token'], limit, (a, b) => a.cpuMicros - b.cpuMicros),
      { unit: 'µs' },
    ),
    figure('chain: CPU per request, A + B + C, on this machine', cpu(on), { unit: 'µs' }),
    ...['A', 'B', 'C'].map((letter, at) =>
      figure(
        `chain: CPU per request, ${letter}, on this machine`,
        on.map(({ each }) => each[at]),
        { unit: 'µs' },
      ),
    ),
    figure('chain with guards and tokens off: CPU per request, on this machine', cpu(off), { unit: 'µs' }),
    figure('node:http handler: CPU per request, on this machine', cpu(results['node:http handler']), { unit: 'µs' }),
  ];
}
