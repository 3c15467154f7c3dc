import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { allAnswered, closedLoop } from '../measure/load.mjs';
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
/** Half of the CPU above the floor before the library was made lighter, on the machine of docs/performance.md. */
const AIM_MS = {
  [OURS]: 70,
  'ts-jest, cached': 170,
  'ts-jest, first run': 1400,
  '@swc/jest, cached': 190,
  '@swc/jest, first run': 380,
  'esbuild, one file': 50,
};
const aim = (one) => ({ unit: 'ms', aim: { atMost: AIM_MS[one] } });
const dist = (file) => new URL(`../../libs/keycloak/dist/${file}`, import.meta.url).href;
const IMPORTED = {
  [FLOOR]: ['undici', 'oauth4webapi'],
  [OURS]: [dist('index.js')],
  "import 'nestjs-keycloak-s2s/graphql'": [dist('entry-points/graphql/index.js')],
  "import 'nestjs-keycloak-s2s/testing'": [dist('testing/index.js')],
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
  const samples = Object.fromEntries(Object.keys(IMPORTED).map((one) => [one, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [one, modules] of Object.entries(IMPORTED)) samples[one].push(await imported(PROBE, modules, signal));
  }
  const figures = [];
  for (const [one, modules] of Object.entries(IMPORTED)) {
    const cpu = samples[one].map(({ cpuMs }) => cpuMs);
    say(`${one}: ${cpu.map((ms) => ms.toFixed(0)).join(', ')} ms`);
    figures.push(
      figure(`${one}: CPU`, cpu, { unit: 'ms', note: 'by itself, beside Nest' }),
      figure(
        `${one}: heap after GC`,
        samples[one].map(({ heapMb }) => heapMb),
        { unit: 'MB' },
      ),
    );
    const files = await imported(COUNT, modules, signal).catch(() => undefined);
    if (files !== undefined) figures.push(figure(`${one}: files loaded`, [files]));
  }
  const above = paired(samples[OURS], samples[FLOOR], (ours, floor) => ours.cpuMs - floor.cpuMs);
  figures.push(figure(`${OURS}: CPU above ${FLOOR}`, above, aim(OURS)));
  return [...figures, ...(await guardedRequests(bench))];
}

async function imported(script, modules, signal) {
  const args = ['--expose-gc', '--input-type=module', '--eval', script, ...modules];
  const cwd = new URL('../../libs/keycloak/', import.meta.url);
  const { stdout } = await inAProcess(process.execPath, args, {
    cwd,
    signal,
    env: { ...process.env, NODE_ENV: 'test' },
  });
  return JSON.parse(stdout);
}

async function guardedRequests(bench) {
  const issuer = await bench.start('issuer', ['bench/servers/issuer.mjs', CLIENT], { aside: true });
  const [token] = await issuer.ask('tokens');
  return [await firstRequest(bench, issuer, token), ...(await inRunners(bench, issuer, token))];
}

/** Jest's own work differs from run to run, so the kinds take turns. The first run fills the cache. */
async function inRunners({ rounds, say, signal }, issuer, token) {
  const figures = [];
  await withRunnerCells({ ISSUER: issuer.url, TOKEN: token }, signal, async (cpuOf) => {
    for (const cell of Object.keys(CELLS)) {
      const samples = Object.fromEntries(KINDS.map((kind) => [kind, []]));
      for (const kind of KINDS) await cpuOf(cell, kind);
      for (let round = 0; round < rounds; round += 1) {
        for (const kind of KINDS) samples[kind].push(await cpuOf(cell, kind));
      }
      for (const kind of KINDS) say(`${cell}: ${kind}: ${samples[kind].map((ms) => ms.toFixed(0)).join(', ')} ms`);
      const above = paired(samples.ours, samples.floor, (ours, floor) => ours - floor);
      const ratio = paired(samples.ours, samples.bare, (ours, bare) => ours / bare);
      figures.push(
        figure(`${cell}: CPU above ${FLOOR}`, above, aim(cell)),
        figure(`${cell}: CPU, of the same with Nest alone`, ratio, { unit: '×' }),
      );
    }
  });
  return figures;
}

async function firstRequest({ rounds, say, signal, start }, issuer, token) {
  const { origin } = new URL(issuer.url);
  const env = { KEYCLOAK_ISSUER: issuer.url, KEYCLOAK_BASE_URL: origin, CLIENT_ID: CLIENT, CLIENT_SECRET: 's' };
  const request = { path: '/route', headers: { authorization: `Bearer ${token}` } };
  const samples = { bare: [], guarded: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of Object.keys(samples)) {
      const server = await start(`${kind} route`, ['bench/servers/one-route.mjs', kind], { env });
      allAnswered(await closedLoop({ url: server.url, request, connections: 1, requests: 1, signal }));
      const { user, system } = await server.ask('cpu');
      samples[kind].push((user + system) / 1000);
      await server.stop();
    }
  }
  for (const [kind, cpu] of Object.entries(samples))
    say(`${kind} route: ${cpu.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  const ratio = paired(samples.guarded, samples.bare, (ours, bare) => ours / bare);
  return figure('start and first guarded request: CPU, of the same with Nest alone', ratio, { unit: '×' });
}
