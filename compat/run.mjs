// npm run compat tests the packed library with each Nest version, HTTP adapter, module kind, test runner and Node.js
// version, and writes docs/compatibility.md. With names of cells, the command runs only these cells. With --quick, the
// command runs four cells, and tests both token profiles with oidc-provider. With --keep, the command does not delete
// the folders. With --keycloak, only the contract and the chain run on each Keycloak version.
import '../scripts/common/help.mjs';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { format } from 'prettier';
import { argumentsOf } from '../scripts/common/own-options.mjs';
import { packLibrary, publishedLibraries } from '../scripts/release/packed-library.mjs';
import { paint, stopSignal } from '../scripts/common/processes.mjs';
import {
  adapterSource,
  CELLS,
  CLASSIC,
  CONTEXTS_ON_NEST_11,
  knownCause,
  manifest,
  MORE,
  NODES,
  OLDEST,
  OLDEST_NODES,
  OPTIONAL_OF_NEST,
  QUICK,
  RUNNERS,
  TSCONFIG,
  TYPESCRIPTS,
} from './cells.mjs';
import { tryKeycloaks } from './keycloaks.mjs';
import { PROFILES, withOidcProvider } from './other-servers.mjs';
import { compatibilityPage, PAGE, WRITTEN } from './page.mjs';
import { nodeFolder, run, tool } from './tools.mjs';

/** @typedef {import('./cells.mjs').Cell} Cell */
/**
 * @typedef {{ cell: string, step: string, node: string, ok: boolean, output: string, cause: string | undefined }} Result
 */

const ROOT = resolve(import.meta.dirname, '..');
const APP = join(ROOT, 'compat/app');
const REALM = join(ROOT, 'examples/quick-start/realm.json');
const SECRETS = { ORDERS_CLIENT_SECRET: 'orders-secret', INVENTORY_CLIENT_SECRET: 'inventory-secret' };
const TSC = ['node_modules/typescript/bin/tsc'];
const THIS_NODE = process.versions.node.split('.')[0] ?? '';

const { values: flags, positionals: names } = argumentsOf({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, keep: { type: 'boolean' }, keycloak: { type: 'boolean' } },
});
const isWhole = names.length === 0 && flags.quick !== true;
// The embedded server does not start in production.
process.env.NODE_ENV = 'test';
const signal = stopSignal();

/** @type {Result[]} */
const results = [];
const folder = mkdtempSync(join(tmpdir(), 'compat-'));
try {
  process.exitCode = await (flags.keycloak ? tryKeycloaks(signal) : main());
} catch (error) {
  process.exitCode = signal.aborted ? 130 : 1;
  if (!signal.aborted) console.error(`\n${paint(31, error instanceof Error ? error.message : String(error))}`);
} finally {
  if (flags.keep) console.log(`The installs are in ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}

async function main() {
  const cells = chosen();
  const library = publishedLibraries().find((path) => path.endsWith('/keycloak'));
  if (library === undefined) throw new Error('libs/keycloak does not exist');
  const { tarball } = packLibrary(library);
  const { startAuthorizationServer } = await import('../libs/keycloak-test-servers/dist/index.js');
  const server = await startAuthorizationServer({ realm: REALM, environment: SECRETS });
  try {
    for (const cell of cells) await tryCell(cell, tarball, server.issuer);
    if (isWhole || names.includes(MORE.contexts.name)) await tryContexts(tarball);
    if (isWhole || flags.quick || names.includes(MORE.otherServers.name)) await tryOtherServers(tarball);
    if (isWhole) {
      await tryPnpm(tarball, server.issuer);
      await tryOneFile(tarball, server.issuer);
      await tryTypeScripts(tarball);
    }
  } finally {
    await server.stop();
  }
  const faults = results.filter(({ ok, cause }) => ok === (cause !== undefined));
  for (const { cell, step, node, ok, output } of faults) {
    console.log(paint(31, `\n${cell}, ${step}, Node ${node}: ${ok ? 'is green, and was known to be red' : 'FAILED'}`));
    if (!ok) console.log(output.split('\n').slice(-60).join('\n'));
  }
  if (isWhole) {
    writeFileSync(PAGE, await format(compatibilityPage(results, readFileSync(PAGE, 'utf8')), WRITTEN));
  }
  console.log(`\n${results.length - faults.length} steps have the expected result, and ${faults.length} steps do not`);
  return faults.length === 0 ? 0 : 1;
}

/** @returns {Cell[]} */
function chosen() {
  const wanted = flags.quick ? QUICK.map(({ cell }) => cell) : names;
  const all = [...CELLS, ...OLDEST, MORE.contexts, MORE.otherServers].map(({ name }) => name);
  const unknown = wanted.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new Error(`Unknown cell: ${unknown.join(', ')}. Cells are: ${all.join(', ')}`);
  const cells = [...CELLS, ...OLDEST];
  return wanted.length === 0 ? cells : cells.filter(({ name }) => wanted.includes(name));
}

/**
 * @param {Cell} cell
 * @param {string} tarball
 * @param {string} issuer
 */
async function tryCell(cell, tarball, issuer) {
  const home = prepare(cell);
  const quick = flags.quick ? QUICK.find((one) => one.cell === cell.name) : undefined;
  const all = cell.isOldest ? RUNNERS[cell.kind].slice(0, 1) : RUNNERS[cell.kind];
  const runners = all.filter(({ name }) => quick === undefined || quick.runner === name);
  const nodes = cell.isOldest ? OLDEST_NODES : NODES;
  if (!(await tryStep({ cell, step: 'install', home, command: 'npm', args: ['install', tarball] }))) return;
  if (!(await tryStep({ cell, step: 'tsc', home, args: TSC }))) return;
  if (cell.kind === 'cjs' && cell.nest === '11') {
    await tryStep({ cell, step: 'tsc, classic', home, args: [...TSC, ...CLASSIC] });
  }
  if (runners.length === 0) throw new Error(`${cell.name} has no runner ${quick?.runner}`);
  for (const node of quick === undefined ? nodes : [quick.node]) {
    const bin = await nodeFolder(node, signal);
    const environment = { PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`, ISSUER: issuer };
    const common = { cell, node, home, command: join(bin, 'node'), environment };
    await tryStep({ ...common, step: 'start', args: ['dist/src/try.js'] });
    if (!cell.isWithoutOpenApi) await tryStep({ ...common, step: 'entry points', args: ['dist/src/entry-points.js'] });
    for (const { name, args, needsFlag } of runners) {
      await tryStep({ ...common, step: name, args: [...(needsFlag ? ['--experimental-vm-modules'] : []), ...args] });
    }
  }
}

/**
 * @param {string} tarball
 * @param {string} issuer
 */
async function tryPnpm(tarball, issuer) {
  const cell = MORE.pnpm;
  const home = prepare(cell, { 'nestjs-keycloak-s2s': `file:${tarball}` });
  const pnpm = join(await tool('pnpm', '10', signal), 'bin/pnpm.cjs');
  const common = { cell, home, environment: { ISSUER: issuer } };
  if (!(await tryStep({ ...common, step: 'install', args: [pnpm, 'install', '--no-frozen-lockfile'] }))) return;
  await tryStep({ ...common, step: 'tsc', args: TSC });
  await tryStep({ ...common, step: 'start', args: ['dist/src/try.js'] });
  for (const { name, args } of RUNNERS.esm) {
    if (name === 'Jest') await tryStep({ ...common, step: name, args: ['--experimental-vm-modules', ...args] });
  }
}

/**
 * @param {string} tarball
 * @param {string} issuer
 */
async function tryOneFile(tarball, issuer) {
  const cell = MORE.esbuild;
  const home = prepare(cell);
  const esbuild = join(await tool('esbuild', '0.28', signal), 'bin/esbuild');
  const external = OPTIONAL_OF_NEST.map((name) => `--external:${name}`);
  const bundle = [
    'dist/src/try.js',
    '--bundle',
    '--platform=node',
    '--main-fields=module,main',
    '--outfile=one-file.cjs',
  ];
  if (!(await tryStep({ cell, step: 'install', home, command: 'npm', args: ['install', tarball] }))) return;
  await tryStep({ cell, step: 'tsc', home, args: TSC });
  await tryStep({ cell, step: 'one file', home, command: esbuild, args: [...bundle, ...external] });
  rmSync(join(home, 'node_modules'), { recursive: true });
  await tryStep({ cell, step: 'start', home, args: ['one-file.cjs'], environment: { ISSUER: issuer } });
}

/** @param {string} tarball */
async function tryContexts(tarball) {
  const cell = MORE.contexts;
  console.log(paint(1, `\n${cell.name}`));
  const home = join(folder, cell.name);
  const example = join(ROOT, 'examples/contexts');
  for (const part of ['src', 'test', 'tsconfig.json', 'jest.config.js', 'boot-report.txt']) {
    cpSync(join(example, part), join(home, part), { recursive: true });
  }
  const messages = 'src/orders/stock-messages.ts';
  write(home, {
    'package.json': JSON.stringify(
      { name: cell.name, private: true, type: 'module', ...CONTEXTS_ON_NEST_11 },
      undefined,
      2,
    ),
    [messages]: readFileSync(join(example, messages), 'utf8').replace('@nats-io/transport-node', 'nats'),
  });
  if (!(await tryStep({ cell, step: 'install', home, command: 'npm', args: ['install', tarball] }))) return;
  await tryStep({ cell, step: 'tsc', home, args: TSC });
  await tryStep({ cell, step: 'Jest', home, args: ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js'] });
}

/** @param {string} tarball */
async function tryOtherServers(tarball) {
  const cell = MORE.otherServers;
  const home = prepare(cell, { jose: '^6.2.0' });
  cpSync(join(ROOT, 'compat/other-servers'), join(home, 'src'), { recursive: true });
  if (!(await tryStep({ cell, step: 'install', home, command: 'npm', args: ['install', tarball] }))) return;
  if (!(await tryStep({ cell, step: 'tsc', home, args: TSC }))) return;
  for (const [PROFILE, tokenFormat] of Object.entries(PROFILES)) {
    await withOidcProvider(tokenFormat, signal, (ISSUER, version) => {
      const step = `${PROFILE} at oidc-provider ${version}`;
      return tryStep({
        cell,
        step,
        home,
        args: ['dist/src/other-servers.js'],
        environment: { ISSUER, PROFILE, NODE_ENV: 'development' },
      });
    });
  }
}

/** @param {string} tarball */
async function tryTypeScripts(tarball) {
  const cell = MORE.typescript;
  const home = prepare(cell);
  if (!(await tryStep({ cell, step: 'install', home, command: 'npm', args: ['install', tarball] }))) return;
  for (const version of TYPESCRIPTS) {
    const tsc = join(await tool('typescript', version, signal), 'bin/tsc');
    await tryStep({ cell, step: `TypeScript ${version}`, home, args: [tsc, '--noEmit'] });
  }
}

/**
 * @param {Cell} cell
 * @param {object} [dependencies] additional packages
 */
function prepare(cell, dependencies = {}) {
  console.log(paint(1, `\n${cell.name}`));
  const home = join(folder, cell.name);
  const { dependencies: own, ...rest } = manifest(cell);
  write(home, {
    'package.json': JSON.stringify({ ...rest, dependencies: { ...own, ...dependencies } }, undefined, 2),
    'tsconfig.json': JSON.stringify(TSCONFIG),
    'src/adapter.ts': `/** The HTTP adapter of this install. */\n${adapterSource(cell)}`,
  });
  for (const part of ['src', 'test']) cpSync(join(APP, part), join(home, part), { recursive: true });
  if (cell.isWithoutOpenApi) rmSync(join(home, 'src/entry-points.ts'));
  for (const { files } of RUNNERS[cell.kind]) write(home, files(cell));
  return home;
}

/**
 * @param {{ cell: Cell, step: string, node?: string, home: string, command?: string, args: string[], environment?: Record<string, string> }} what
 * @returns {Promise<boolean>}
 */
async function tryStep({ cell, step, node = THIS_NODE, home, command = process.execPath, args, environment = {} }) {
  signal.throwIfAborted();
  const began = performance.now();
  const { status, output } = await run(home, command, args, environment, signal);
  const ok = status === 0;
  const cause = knownCause(cell, step, ok ? '' : output);
  results.push({ cell: cell.name, step, node, ok, output, cause });
  const words = ok ? paint(32, 'ok') : cause === undefined ? paint(31, 'FAILED') : paint(33, 'no, as is known');
  console.log(`  ${step}, Node ${node}: ${words} ${paint(2, `${((performance.now() - began) / 1000).toFixed(1)} s`)}`);
  return ok;
}

/**
 * @param {string} home
 * @param {Record<string, string>} files
 */
function write(home, files) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(home, name, '..'), { recursive: true });
    writeFileSync(join(home, name), text);
  }
}
