// npm run compat tests the packed library with each Nest version, HTTP adapter, module kind, test runner and Node.js
// version, and writes docs/compatibility.md. With names of cells, the command runs only these cells. With --quick, the
// command runs three cells, the services of `nest new`, both token profiles with oidc-provider, and the set-up for
// Vitest. With --keep, the command does not delete the folders. With --keycloak, only the contract and the chain run on
// each Keycloak version, or on the versions that the arguments name.
import '../scripts/common/help.mjs';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { format } from 'prettier';
import { argumentsOf } from '../scripts/common/own-options.mjs';
import { packLibrary, publishedLibraries } from '../scripts/release/packed-library.mjs';
import { paint, stopSignal } from '../scripts/common/processes.mjs';
import { CELLS, CLASSIC, MORE, NODES, OLDEST, OLDEST_NODES, QUICK } from './cells.mjs';
import { tryKeycloaks } from './keycloaks.mjs';
import { tryContexts, tryMcp, tryOneFile, tryOtherServers, tryPnpm, tryTypeScripts, tryVitest } from './more-cells.mjs';
import { tryNestNew } from './nest-new.mjs';
import { compatibilityPage, PAGE, WRITTEN } from './page.mjs';
import { RUNNERS } from './runners.mjs';
import { nodeFolder } from './tools.mjs';
import { REALM, TSC, Workbench } from './workbench.mjs';

/** @typedef {import('./cells.mjs').Cell} Cell */

const NEST_NEW = 'nest-new';
const SECRETS = { ORDERS_CLIENT_SECRET: 'orders-secret', INVENTORY_CLIENT_SECRET: 'inventory-secret' };

const { values: flags, positionals: names } = argumentsOf({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, keep: { type: 'boolean' }, keycloak: { type: 'boolean' } },
});
const isWhole = names.length === 0 && flags.quick !== true;
// The embedded server does not start in production.
process.env.NODE_ENV = 'test';
const signal = stopSignal();

const bench = new Workbench(signal);
try {
  process.exitCode = await (flags.keycloak ? tryKeycloaks(signal, names) : main());
} catch (error) {
  process.exitCode = signal.aborted ? 130 : 1;
  if (!signal.aborted) console.error(`\n${paint(31, error instanceof Error ? error.message : String(error))}`);
} finally {
  if (flags.keep) console.log(`The installs are in ${bench.folder}`);
  else rmSync(bench.folder, { recursive: true, force: true });
}

async function main() {
  const cells = chosen();
  const tarball = packed('keycloak');
  const { startAuthorizationServer } = await import('../libs/keycloak-test-servers/dist/index.js');
  const server = await startAuthorizationServer({ realm: REALM, environment: SECRETS });
  try {
    for (const cell of cells) await tryCell(cell, tarball, server.issuer);
    if (isWhole || names.includes(MORE.contexts.name)) await tryContexts(bench, tarball);
    if (isWhole || names.includes(MORE.mcp.name))
      await tryMcp(bench, [tarball, packed('mcp'), packed('keycloak-test-servers')]);
    if (isWhole || flags.quick || names.includes(NEST_NEW)) await tryNestNew(bench, tarball, server.issuer);
    if (isWhole || flags.quick || names.includes(MORE.otherServers.name)) await tryOtherServers(bench, tarball);
    if (isWhole || flags.quick || names.includes(MORE.vitest.name))
      await tryVitest(bench, packed('keycloak-test-servers'));
    for (const cell of [MORE.pnpm, MORE.pnpmCommonJs]) {
      if (isWhole || names.includes(cell.name)) await tryPnpm(bench, cell, tarball, server.issuer);
    }
    if (isWhole) {
      await tryOneFile(bench, tarball, server.issuer);
      await tryTypeScripts(bench, tarball);
    }
  } finally {
    await server.stop();
  }
  const { results } = bench;
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

/** @param {string} name of the folder in `libs` */
function packed(name) {
  const library = publishedLibraries().find((path) => path.endsWith(`/${name}`));
  if (library === undefined) throw new Error(`libs/${name} does not exist`);
  return packLibrary(library).tarball;
}

/** @returns {Cell[]} */
function chosen() {
  const wanted = flags.quick ? QUICK.map(({ cell }) => cell) : names;
  const { contexts, mcp, otherServers, pnpm, pnpmCommonJs, vitest } = MORE;
  const one = [...CELLS, ...OLDEST, contexts, mcp, otherServers, pnpm, pnpmCommonJs, vitest].map(({ name }) => name);
  const all = [...one, NEST_NEW];
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
  const home = bench.prepare(cell);
  const quick = flags.quick ? QUICK.find((one) => one.cell === cell.name) : undefined;
  const all = cell.isOldest ? RUNNERS[cell.kind].slice(0, 1) : RUNNERS[cell.kind];
  const runners = all.filter(({ name }) => quick === undefined || quick.runner === name);
  const nodes = cell.isOldest ? OLDEST_NODES : NODES;
  if (!(await bench.tryStep({ cell, step: 'install', home, command: 'npm', args: ['install', tarball] }))) return;
  if (!(await bench.tryStep({ cell, step: 'tsc', home, args: TSC }))) return;
  if (cell.kind === 'cjs' && cell.nest === '11') {
    await bench.tryStep({ cell, step: 'tsc, classic', home, args: [...TSC, ...CLASSIC] });
  }
  if (runners.length === 0) throw new Error(`${cell.name} has no runner ${quick?.runner}`);
  for (const node of quick === undefined ? nodes : [quick.node]) {
    const bin = await nodeFolder(node, signal);
    const environment = { PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`, ISSUER: issuer };
    const common = { cell, node, home, command: join(bin, 'node'), environment };
    await bench.tryStep({ ...common, step: 'start', args: ['dist/src/try.js'] });
    if (!cell.isWithoutOpenApi)
      await bench.tryStep({ ...common, step: 'entry points', args: ['dist/src/entry-points.js'] });
    for (const { name, args } of runners) await bench.tryStep({ ...common, step: name, args: args(cell) });
  }
}
