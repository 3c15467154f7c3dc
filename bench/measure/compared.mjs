import { figure } from '../report.mjs';
import { chainContender, routeContender } from './contenders.mjs';
import { interleaved, paired, ROUNDS_MORE } from './rounds.mjs';

const ROUTE_REQUESTS = 30_000;
const CHAIN_REQUESTS = 9_000;

export async function comparedFigures(bench, { ours, theirs, other }) {
  const route = (label, options) => routeContender(label, bench, { kind: 'guarded', ...options });
  const chain = (label, options) => chainContender(label, bench, options);
  const { rounds, scale } = bench;
  const sizes = [
    ['guarded route', route, { rounds: rounds * ROUNDS_MORE, requests: ROUTE_REQUESTS * scale }],
    ['chain', chain, { rounds, requests: CHAIN_REQUESTS * scale }],
  ];
  const figures = [];
  for (const [what, contender, size] of sizes) {
    figures.push(...(await compared({ what, ours, theirs }, contender, other, { ...bench, ...size })));
  }
  return figures;
}

/** Measures our checkout twice, because the difference between both results is the noise. */
async function compared({ what, ours, theirs }, contender, other, { rounds, requests, say, signal }) {
  const contenders = [contender('this'), contender('other', other), contender('this again')];
  const results = await interleaved(contenders, { rounds, requests, say, signal });
  const { this: first, other: second, 'this again': again } = results;
  const micros = (of) => of.map(({ cpuMicros }) => cpuMicros);
  const ratio = (a, b) => paired(a, b, (one, two) => one.cpuMicros / two.cpuMicros);
  return [
    figure(`${what}: CPU of ${ours} over ${theirs}`, ratio(first, second), { unit: '×' }),
    figure(`${what}: CPU of ${ours} over itself, once more`, ratio(first, again), { unit: '×', note: 'the noise' }),
    figure(`${what}: CPU per request, ${ours}`, micros(first), { unit: 'µs' }),
    figure(`${what}: CPU per request, ${theirs}`, micros(second), { unit: 'µs' }),
  ];
}
