// Makes two services with `nest new`, and follows docs/add-to-your-service.md. `orders` (Nest 11) calls `inventory` (Nest
// 12).
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { MORE } from './cells.mjs';
import { nodeFolder, tool } from './tools.mjs';
import { ROOT } from './workbench.mjs';

/** @typedef {import('./workbench.mjs').Workbench} Workbench */

const PAGE_FILES = join(ROOT, 'compat/nest-new');
/** The command line of Nest 12 needs Node 22.22 or newer. */
const SERVICES = [
  { cell: MORE.nestNew11, service: 'orders', node: '20', flags: [] },
  { cell: MORE.nestNew12, service: 'inventory', node: '24', flags: ['--no-observe'] },
];

/**
 * @param {Workbench} bench
 * @param {string} tarball
 * @param {string} issuer
 */
export async function tryNestNew(bench, tarball, issuer) {
  const folder = join(bench.folder, 'nest-new');
  mkdirSync(folder);
  const binaries = Object.fromEntries(
    await Promise.all(SERVICES.map(async ({ service, node }) => [service, await nodeFolder(node, bench.signal)])),
  );
  for (const { cell, service, node, flags } of SERVICES) {
    const home = join(folder, service);
    const cli = join(await tool('@nestjs/cli', cell.nest, bench.signal), 'bin/nest.js');
    const made = ['new', service, '--skip-git', '--skip-install', '--package-manager', 'npm', ...flags];
    const environment = { PATH: `${binaries[service]}${delimiter}${process.env.PATH ?? ''}` };
    const common = { cell, node, environment };
    const nodePath = join(binaries[service], 'node');
    if (!(await bench.tryStep({ ...common, step: 'nest new', home: folder, command: nodePath, args: [cli, ...made] })))
      return;
    cpSync(join(PAGE_FILES, service), home, { recursive: true });
    if (service === 'orders') addPreset(join(home, 'package.json'));
    const npm = { ...common, home, command: 'npm' };
    if (!(await bench.tryStep({ ...npm, step: 'install', args: ['install', tarball] }))) return;
    for (const script of ['build', 'test', 'test:e2e'])
      if (!(await bench.tryStep({ ...npm, step: `npm run ${script}`, args: ['run', script] }))) return;
  }
  const environment = { ISSUER: issuer, ORDERS_PATH: binaries.orders, INVENTORY_PATH: binaries.inventory };
  const cell = MORE.nestNew11;
  await bench.tryStep({ cell, step: 'chain', home: folder, args: [join(PAGE_FILES, 'chain.mjs')], environment });
}

/** @param {string} file */
function addPreset(file) {
  const { jest, ...description } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...description, jest: { preset: 'nestjs-keycloak-s2s/ts-jest', ...jest } }));
}
