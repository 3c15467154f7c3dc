import { figure } from '../report.mjs';
import { routeContender } from '../measure/contenders.mjs';
import { interleaved, paired, ROUNDS_MORE } from '../measure/rounds.mjs';
import { AT_REFERENCE, atReference, bareHandler } from '../measure/reference.mjs';

export const name = 'guard-overhead';
export const title = 'a warm guarded route against the same route bare';

const REQUESTS = 30_000;

export async function run(bench) {
  const { rounds, scale, say, signal } = bench;
  const contenders = [
    bareHandler(bench),
    routeContender('bare', bench, { kind: 'bare' }),
    routeContender('guarded', bench, { kind: 'guarded' }),
  ];
  const results = await interleaved(contenders, {
    rounds: rounds * ROUNDS_MORE,
    requests: REQUESTS * scale,
    say,
    signal,
  });
  const { bare, guarded } = results;
  const ratio = (of) => paired(guarded, bare, of);
  const added = ratio((ours, theirs) => ours.cpuMicros - theirs.cpuMicros);
  const cpu = (of) => of.map(({ cpuMicros }) => cpuMicros);
  return [
    figure('guard: CPU added to the bare route', atReference(added, results), {
      unit: 'µs',
      must: { atMost: 5 },
      aim: { atMost: 3 },
      note: AT_REFERENCE,
    }),
    figure(
      'guarded route: throughput of a core, of the bare one',
      ratio((a, b) => (b.cpuMicros / a.cpuMicros) * 100),
      { unit: '%', must: { atLeast: 80 }, aim: { atLeast: 88 } },
    ),
    figure('guard: CPU added to the bare route, on this machine', added, { unit: 'µs' }),
    figure('bare route: CPU per request, on this machine', cpu(bare), { unit: 'µs' }),
    figure('node:http handler: CPU per request, on this machine', cpu(results['node:http handler']), { unit: 'µs' }),
    figure(
      'guarded route: requests/s of the bare one',
      ratio((a, b) => (a.perSecond / b.perSecond) * 100),
      { unit: '%' },
    ),
  ];
}
