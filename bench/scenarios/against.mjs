import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runNode } from '../../scripts/common/processes.mjs';
import { comparedFigures } from '../measure/compared.mjs';

export const name = 'against';
export const title = 'the guarded route and the chain, this checkout against another (--against)';
export const needs = 'against';

export async function run(bench) {
  const root = resolve(bench.against);
  await build(root, bench.signal);
  return comparedFigures(bench, { ours: 'this checkout', theirs: 'the other', other: { root } });
}

async function build(root, signal) {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  if (!existsSync(compiler)) throw new Error(`No installed checkout at ${root}: run npm ci in it`);
  if ((await runNode([compiler, '-b', root], { signal })) !== 0) throw new Error(`The build of ${root} failed`);
}
