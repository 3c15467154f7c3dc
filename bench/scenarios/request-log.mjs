// What the request log costs: the chain with REQUEST_LOG on, against the same with it off.
import { figure } from '../report.mjs';
import { chainContender } from '../measure/contenders.mjs';
import { AT_REFERENCE, atReference, bareHandler } from '../measure/reference.mjs';
import { interleaved, paired } from '../measure/rounds.mjs';
import { ROUNDS_MORE } from './guard-overhead.mjs';

export const name = 'request-log';
export const title = 'CPU of the request log, a line for each request at each hop';

/** In a round. */
const REQUESTS = 9_000;
const HOPS = 3;

export async function run(bench) {
  const { scale, say, signal } = bench;
  // A difference of two figures that hardly differ: it needs more rounds than either.
  const rounds = bench.rounds * ROUNDS_MORE;
  const contenders = [
    bareHandler(bench),
    chainContender('off', bench),
    chainContender('on', bench, { env: { REQUEST_LOG: 'true' } }),
  ];
  const results = await interleaved(contenders, { rounds, requests: REQUESTS * scale, say, signal });
  const { on, off } = results;
  const perHop = paired(on, off, (a, b) => (a.cpuMicros - b.cpuMicros) / HOPS);
  return [
    figure('request log on against off: CPU per request and hop', atReference(perHop, results), {
      unit: 'µs',
      must: { atMost: 5 },
      note: AT_REFERENCE,
    }),
    figure('request log on against off: CPU per request and hop, on this machine', perHop, { unit: 'µs' }),
    figure(
      'request log on against off: CPU of the chain',
      paired(on, off, (a, b) => a.cpuMicros / b.cpuMicros),
      { unit: '×' },
    ),
  ];
}
