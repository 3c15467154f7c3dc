// The CPU time of an application by Node and in one file of esbuild, and of one spec by ts-jest and by @swc/jest. The
// application and the spec start Nest 11 and send one request. They run with Nest alone, with the packages of the floor,
// and with the packed library.
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MORE, OPTIONAL_OF_NEST } from '../../compat/cells.mjs';
import { RUNNERS } from '../../compat/runners.mjs';
import { run, tool } from '../../compat/tools.mjs';
import { ROOT, TSC, Workbench } from '../../compat/workbench.mjs';

export const KINDS = ['bare', 'floor', 'ours'];

const CELL = MORE.esbuild;
const CPU_AT_EXIT = `--import=${import.meta.dirname}/cpu-at-exit.mjs`;
const SPEC = (kind) => `import { answerOf } from '../src/answer.js';
import { Application } from '../src/${kind}.js';

it('answers', async () => expect(await answerOf(Application)).toBe(200));
`;
const PROGRAM = (kind) => `import { answerOf } from './answer.js';
import { Application } from './${kind}.js';

answerOf(Application).then((status) => process.exit(status === 200 ? 0 : 1));
`;

/** Each cell returns the arguments of Node.js for a kind. */
export const CELLS = {
  Node: (kind) => [`dist/src/${kind}-program.js`],
  ...Object.fromEntries(['ts-jest', '@swc/jest'].flatMap(jest)),
  'esbuild, one file': (kind) => [`${kind}.cjs`],
};

/** Installs the tarball beside Nest 11. `use` gets a function that returns the CPU time of a kind in a cell. */
export async function withRunnerCells(tarball, environment, signal, use) {
  const bench = new Workbench(signal);
  try {
    const home = await install(bench, tarball);
    return await use((cell, kind) => cpuOf(home, CELLS[cell](kind), { NODE_ENV: 'test', ...environment }, signal));
  } finally {
    rmSync(bench.folder, { recursive: true, force: true });
  }
}

function jest(name) {
  const runner = RUNNERS.cjs.find((one) => one.name === name);
  const args = (kind) => [...runner.args(CELL), '--runInBand', `test/${kind}.spec.ts`];
  return [
    [`${name}, cached`, args],
    [`${name}, first run`, (kind) => [...args(kind), '--no-cache']],
  ];
}

async function install(bench, tarball) {
  const home = bench.prepare(CELL, { oauth4webapi: '^3.8.8', undici: '^7.30.2' });
  cpSync(join(ROOT, 'bench/runners/src'), join(home, 'src'), { recursive: true });
  for (const kind of KINDS) {
    writeFileSync(join(home, `test/${kind}.spec.ts`), SPEC(kind));
    writeFileSync(join(home, `src/${kind}-program.ts`), PROGRAM(kind));
  }
  await step(bench, { step: 'install', home, command: 'npm', args: ['install', tarball] });
  await step(bench, { step: 'tsc', home, args: TSC });
  const esbuild = join(await tool('esbuild', '0.28', bench.signal), 'bin/esbuild');
  const external = OPTIONAL_OF_NEST.map((name) => `--external:${name}`);
  for (const kind of KINDS) {
    const bundle = [`dist/src/${kind}-program.js`, `--outfile=${kind}.cjs`, '--bundle', '--platform=node'];
    const args = [...bundle, '--main-fields=module,main', ...external];
    await step(bench, { step: `${kind} in one file`, home, command: esbuild, args });
  }
  return home;
}

async function step(bench, what) {
  if (await bench.tryStep({ cell: CELL, ...what })) return;
  throw new Error(`${what.step} fails: ${bench.results.at(-1).output.slice(-2000)}`);
}

async function cpuOf(home, args, environment, signal) {
  const { status, output } = await run(home, process.execPath, [CPU_AT_EXIT, ...args], environment, signal);
  if (status !== 0) throw new Error(`${args.join(' ')} fails: ${output.slice(-2000)}`);
  return Number(/^CPU ([\d.]+) ms$/m.exec(output)[1]);
}
