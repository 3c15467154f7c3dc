// This checkout against another: the guarded route and the chain of both, in the same rounds.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runNode } from '../../scripts/processes.mjs';
import { chainContender, routeContender } from '../measure/contenders.mjs';
import { interleaved, paired } from '../measure/rounds.mjs';
import { figure } from '../report.mjs';
import { ROUNDS_MORE } from './guard-overhead.mjs';

export const name = 'against';
export const title = 'the guarded route and the chain, this checkout against another (--against)';
/** The option without which it is no part of "everything". */
export const needs = 'against';

const ROUTE_REQUESTS = 30_000;
const CHAIN_REQUESTS = 9_000;

export async function run(bench) {
  const other = resolve(bench.against);
  await build(other, bench.signal);
  const { rounds, scale } = bench;
  const route = (label, root) => routeContender(label, bench, { kind: 'guarded', root });
  const chain = (label, root) => chainContender(label, bench, { root });
  return [
    ...(await compared('guarded route', route, {
      ...bench,
      other,
      rounds: rounds * ROUNDS_MORE,
      requests: ROUTE_REQUESTS * scale,
    })),
    ...(await compared('chain', chain, { ...bench, other, requests: CHAIN_REQUESTS * scale })),
  ];
}

/** This checkout takes part twice: what it differs from itself by is the noise, and a smaller difference means nothing. */
async function compared(what, contender, { other, rounds, requests, say, signal }) {
  const contenders = [contender('this'), contender('other', other), contender('this again')];
  const results = await interleaved(contenders, { rounds, requests, say, signal });
  const { this: ours, other: theirs, 'this again': again } = results;
  const micros = (of) => of.map(({ cpuMicros }) => cpuMicros);
  const ratio = (a, b) => paired(a, b, (one, two) => one.cpuMicros / two.cpuMicros);
  return [
    figure(`${what}: CPU of this checkout over the other's`, ratio(ours, theirs), { unit: '×' }),
    figure(`${what}: CPU of this checkout over its own, once more`, ratio(ours, again), {
      unit: '×',
      note: 'the noise',
    }),
    figure(`${what}: CPU per request, this checkout`, micros(ours), { unit: 'µs' }),
    figure(`${what}: CPU per request, the other`, micros(theirs), { unit: 'µs' }),
  ];
}

/** By the other checkout's own compiler, so that it must be installed. */
async function build(root, signal) {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  if (!existsSync(compiler)) throw new Error(`No installed checkout at ${root}: run npm ci in it`);
  if ((await runNode([compiler, '-b', root], { signal })) !== 0) throw new Error(`The build of ${root} failed`);
}
