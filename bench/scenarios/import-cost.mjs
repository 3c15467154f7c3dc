import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { ROOT } from '../../compat/workbench.mjs';
import { packLibrary } from '../../scripts/release/packed-library.mjs';
import { paired } from '../measure/rounds.mjs';
import { CELLS, KINDS, withRunnerCells } from '../measure/runner-cells.mjs';
import { figure } from '../report.mjs';

export const name = 'import-cost';
export const title =
  'CPU, files and heap of `import`, and CPU until the first guarded request, beside Nest, in Node, Jest and one file';

const inAProcess = promisify(execFile);
const OURS = "import 'nestjs-keycloak-s2s'";
const FLOOR = "import 'undici' and 'oauth4webapi'";
const CLIENT = 'service-b';
/** Half of the CPU above the floor before the library was packed as a bundle. */
const AIM_MS = {
  [OURS]: 70,
  'ts-jest, cached': 170,
  'ts-jest, first run': 1400,
  '@swc/jest, cached': 190,
  '@swc/jest, first run': 380,
  'esbuild, one file': 50,
};
const aim = (one) => ({ unit: 'ms', ...(one in AIM_MS && { aim: { atMost: AIM_MS[one] } }) });
const LIBRARY = join(ROOT, 'libs/keycloak');
const IMPORTED = {
  [FLOOR]: ['undici', 'oauth4webapi'],
  [OURS]: ['index.js'],
  "import 'nestjs-keycloak-s2s/graphql'": ['entry-points/graphql/index.js'],
  "import 'nestjs-keycloak-s2s/testing'": ['testing/index.js'],
};

/** The script runs in a new process, since loaded modules stay loaded. */
const PROBE = `
  for (const nest of ['common', 'core']) await import('@nestjs/' + nest);
  await import('rxjs');
  gc();
  const [heap, cpu] = [process.memoryUsage().heapUsed, process.cpuUsage()];
  for (const one of process.argv.slice(1)) await import(one);
  const { user, system } = process.cpuUsage(cpu);
  gc();
  console.log(JSON.stringify({ cpuMs: (user + system) / 1000, heapMb: (process.memoryUsage().heapUsed - heap) / 1e6 }));
`;
/** Counts modules in a separate run, since counting costs time. Node.js before 22.15 can't count modules. */
const COUNT = `
  import { registerHooks } from 'node:module';
  for (const nest of ['common', 'core']) await import('@nestjs/' + nest);
  await import('rxjs');
  let files = 0;
  registerHooks({ load: (url, context, next) => ((files += url.startsWith('file:') ? 1 : 0), next(url, context)) });
  for (const one of process.argv.slice(1)) await import(one);
  console.log(files);
`;

export async function run(bench) {
  const { rounds, say, signal } = bench;
  const { folder, tarball } = packLibrary(LIBRARY);
  const packed = (file) => (file.endsWith('.js') ? pathToFileURL(join(folder, 'dist', file)).href : file);
  const imports = Object.entries(IMPORTED).map(([one, modules]) => ({
    one,
    modules: modules.map(packed),
    samples: [],
  }));
  for (let round = 0; round < rounds; round += 1) {
    for (const { modules, samples } of imports) samples.push(await imported(PROBE, modules, signal));
  }
  const figures = [];
  for (const { one, modules, samples } of imports) {
    const cpu = samples.map(({ cpuMs }) => cpuMs);
    const heap = samples.map(({ heapMb }) => heapMb);
    say(`${one}: ${cpu.map((ms) => ms.toFixed(0)).join(', ')} ms`);
    figures.push(
      figure(`${one}: CPU`, cpu, { unit: 'ms', note: 'by itself, beside Nest' }),
      figure(`${one}: heap after GC`, heap, { unit: 'MB' }),
    );
    const files = await imported(COUNT, modules, signal).catch(() => undefined);
    if (files !== undefined) figures.push(figure(`${one}: files loaded`, [files]));
  }
  const [floor, ours] = imports.map(({ samples }) => samples);
  const above = paired(ours, floor, (one, other) => one.cpuMs - other.cpuMs);
  figures.push(figure(`${OURS}: CPU above ${FLOOR}`, above, aim(OURS)));
  return [...figures, ...(await guardedRequests(bench, tarball))];
}

async function imported(script, modules, signal) {
  const args = ['--expose-gc', '--input-type=module', '--eval', script, ...modules];
  const env = { ...process.env, NODE_ENV: 'test' };
  const { stdout } = await inAProcess(process.execPath, args, { cwd: LIBRARY, signal, env });
  return JSON.parse(stdout);
}

async function guardedRequests({ rounds, say, signal, start }, tarball) {
  const issuer = await start('issuer', ['bench/servers/issuer.mjs', CLIENT], { aside: true });
  const [token] = await issuer.ask('tokens');
  const figures = [];
  await withRunnerCells(tarball, { ISSUER: issuer.url, TOKEN: token }, signal, async (cpuOf) => {
    for (const cell of Object.keys(CELLS)) {
      const samples = Object.fromEntries(KINDS.map((kind) => [kind, []]));
      // These runs fill the caches.
      for (const kind of KINDS) await cpuOf(cell, kind);
      for (let round = 0; round < rounds; round += 1) {
        for (const kind of KINDS) samples[kind].push(await cpuOf(cell, kind));
      }
      for (const kind of KINDS) say(`${cell}: ${kind}: ${samples[kind].map((ms) => ms.toFixed(0)).join(', ')} ms`);
      const above = paired(samples.ours, samples.floor, (ours, floor) => ours - floor);
      const ratio = paired(samples.ours, samples.bare, (ours, bare) => ours / bare);
      figures.push(
        figure(`${cell}: start and first guarded request: CPU above ${FLOOR}`, above, aim(cell)),
        figure(`${cell}: start and first guarded request: CPU, of the same with Nest alone`, ratio, { unit: '×' }),
      );
    }
  });
  return figures;
}
