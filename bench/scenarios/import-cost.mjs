import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { figure } from '../report.mjs';

export const name = 'import-cost';
export const title = 'CPU and heap of `import`, beside Nest';

const inAProcess = promisify(execFile);
const ENTRY_POINTS = { '.': 'index.js', '/graphql': 'entry-points/graphql/index.js', '/testing': 'testing/index.js' };

/** The script runs in a new process, since loaded modules stay loaded. */
const PROBE = `
  for (const nest of ['common', 'core']) await import('@nestjs/' + nest);
  await import('rxjs');
  gc();
  const [heap, cpu] = [process.memoryUsage().heapUsed, process.cpuUsage()];
  await import(process.argv[1]);
  const { user, system } = process.cpuUsage(cpu);
  gc();
  console.log(JSON.stringify({ cpuMs: (user + system) / 1000, heapMb: (process.memoryUsage().heapUsed - heap) / 1e6 }));
`;

export async function run({ rounds, say, signal }) {
  const figures = [];
  for (const [entryPoint, file] of Object.entries(ENTRY_POINTS)) {
    const samples = [];
    for (let round = 0; round < rounds; round += 1) samples.push(await imported(file, signal));
    say(`${entryPoint}: ${samples.map(({ cpuMs }) => cpuMs.toFixed(0)).join(', ')} ms`);
    const note = 'by itself, beside Nest';
    const named = `import 'nestjs-keycloak-s2s${entryPoint === '.' ? '' : entryPoint}'`;
    figures.push(
      figure(
        `${named}: CPU`,
        samples.map(({ cpuMs }) => cpuMs),
        { unit: 'ms', note },
      ),
      figure(
        `${named}: heap after GC`,
        samples.map(({ heapMb }) => heapMb),
        { unit: 'MB' },
      ),
    );
  }
  return figures;
}

async function imported(file, signal) {
  const path = new URL(`../../libs/keycloak/dist/${file}`, import.meta.url).href;
  const args = ['--expose-gc', '--input-type=module', '--eval', PROBE, path];
  const { stdout } = await inAProcess(process.execPath, args, { signal, env: { ...process.env, NODE_ENV: 'test' } });
  return JSON.parse(stdout);
}
