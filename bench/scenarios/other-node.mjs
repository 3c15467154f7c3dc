import { join } from 'node:path';
import { nodeFolder } from '../../compat/tools.mjs';
import { comparedFigures } from '../measure/compared.mjs';

export const name = 'other-node';
export const title = 'the guarded route and the chain, this Node beside another (--node)';
export const needs = 'node';

export async function run(bench) {
  const node = join(await nodeFolder(bench.node, bench.signal), 'node');
  return comparedFigures(bench, {
    ours: `Node ${process.versions.node}`,
    theirs: `Node ${bench.node}`,
    other: { node },
  });
}
