import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTEXTS_ON_NEST_11, manifest, MCP_CLIENTS, MORE, NODES, OPTIONAL_OF_NEST, TYPESCRIPTS } from './cells.mjs';
import { PROFILES, withOidcProvider } from './other-servers.mjs';
import { RUNNERS } from './runners.mjs';
import { nodeFolder, tool } from './tools.mjs';
import { REALM, ROOT, TSC } from './workbench.mjs';

/** @typedef {import('./cells.mjs').Cell} Cell */
/** @typedef {import('./workbench.mjs').Workbench} Workbench */

/**
 * @param {Workbench} bench
 * @param {Cell} cell
 * @param {string} tarball
 * @param {string} issuer
 */
export async function tryPnpm(bench, cell, tarball, issuer) {
  const home = bench.prepare(cell, { 'nestjs-keycloak-s2s': `file:${tarball}` });
  const pnpm = join(await tool('pnpm', '10', bench.signal), 'bin/pnpm.cjs');
  const common = { cell, home, environment: { ISSUER: issuer } };
  if (!(await bench.tryStep({ ...common, step: 'install', args: [pnpm, 'install', '--no-frozen-lockfile'] }))) return;
  await bench.tryStep({ ...common, step: 'tsc', args: TSC });
  await bench.tryStep({ ...common, step: 'start', args: ['dist/src/try.js'] });
  const tested = cell.kind === 'esm' ? ['Jest'] : ['ts-jest', '@swc/jest'];
  for (const { name, args } of RUNNERS[cell.kind]) {
    if (tested.includes(name)) await bench.tryStep({ ...common, step: name, args: args(cell) });
  }
}

/**
 * @param {Workbench} bench
 * @param {string} tarball
 * @param {string} issuer
 */
export async function tryOneFile(bench, tarball, issuer) {
  const cell = MORE.esbuild;
  const home = bench.prepare(cell);
  const esbuild = join(await tool('esbuild', '0.28', bench.signal), 'bin/esbuild');
  const external = OPTIONAL_OF_NEST.map((name) => `--external:${name}`);
  const bundle = [
    'dist/src/try.js',
    '--bundle',
    '--platform=node',
    '--main-fields=module,main',
    '--outfile=one-file.cjs',
  ];
  if (!(await bench.tryStep({ cell, step: 'install', home, command: 'npm', args: ['install', tarball] }))) return;
  await bench.tryStep({ cell, step: 'tsc', home, args: TSC });
  await bench.tryStep({ cell, step: 'one file', home, command: esbuild, args: [...bundle, ...external] });
  rmSync(join(home, 'node_modules'), { recursive: true });
  await bench.tryStep({ cell, step: 'start', home, args: ['one-file.cjs'], environment: { ISSUER: issuer } });
}

/** @param {Workbench} bench @param {string} tarball */
export async function tryContexts(bench, tarball) {
  const cell = MORE.contexts;
  const example = join(ROOT, 'examples/contexts');
  const description = { name: cell.name, private: true, type: 'module', ...CONTEXTS_ON_NEST_11 };
  const home = bench.write(cell, { 'package.json': JSON.stringify(description, undefined, 2) });
  for (const part of ['src', 'test', 'tsconfig.json', 'jest.config.js', 'boot-report.txt']) {
    cpSync(join(example, part), join(home, part), { recursive: true });
  }
  const messages = join(home, 'src/orders/stock-messages.ts');
  writeFileSync(messages, readFileSync(messages, 'utf8').replace('@nats-io/transport-node', 'nats'));
  if (!(await bench.tryStep({ cell, step: 'install', home, command: 'npm', args: ['install', tarball] }))) return;
  await bench.tryStep({ cell, step: 'tsc', home, args: TSC });
  await bench.tryStep({
    cell,
    step: 'Jest',
    home,
    args: ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js'],
  });
}

/** @param {Workbench} bench @param {string[]} tarballs of the libraries and of `keycloak-test-servers` */
export async function tryMcp(bench, tarballs) {
  const cell = MORE.mcp;
  const example = join(ROOT, 'examples/mcp');
  const { dependencies, devDependencies, ...rest } = JSON.parse(readFileSync(join(example, 'package.json'), 'utf8'));
  const onNest11 = (/** @type {Record<string, string>} */ wanted) =>
    Object.fromEntries(
      Object.entries(wanted)
        .filter(([name]) => !/keycloak/.test(name))
        .map(([name, range]) => [name, name.startsWith('@nestjs/') ? '^11.0.0' : range]),
    );
  const description = {
    ...rest,
    dependencies: onNest11(dependencies),
    devDependencies: onNest11(devDependencies),
  };
  const home = bench.write(cell, { 'package.json': JSON.stringify(description, undefined, 2) });
  for (const part of ['src', 'test', 'tsconfig.json', 'realm.json', 'keycloak-permissions.json']) {
    cpSync(join(example, part), join(home, part), { recursive: true });
  }
  cpSync(join(ROOT, 'compat/mcp'), home, { recursive: true });
  if (!(await bench.tryStep({ cell, step: 'install', home, command: 'npm', args: ['install', ...tarballs] }))) return;
  if (!(await bench.tryStep({ cell, step: 'tsc', home, args: TSC }))) return;
  for (const version of NODES) {
    const node = join(await nodeFolder(version, bench.signal), 'node');
    const args = ['--test', 'dist/test/agent.e2e-spec.js'];
    await bench.tryStep({ cell, step: 'the official client', node: version, home, command: node, args });
  }
  const { inspector, conformance, node } = MCP_CLIENTS;
  const started = [
    join(await tool('@modelcontextprotocol/inspector', inspector, bench.signal), 'clients/launcher/build/index.js'),
    join(await tool('@modelcontextprotocol/conformance', conformance, bench.signal), 'dist/index.js'),
  ];
  const command = join(await nodeFolder(node, bench.signal), 'node');
  const args = ['other-clients.mjs', ...started];
  await bench.tryStep({ cell, step: 'inspector and conformance suite', node, home, command, args });
}

/**
 * @param {Workbench} bench
 * @param {string} tarball of `keycloak-test-servers`
 */
export async function tryVitest(bench, tarball) {
  const cell = MORE.vitest;
  const { typescript, vitest, '@types/node': node } = manifest(cell).devDependencies;
  const devDependencies = { '@types/node': node, typescript, vitest };
  const home = bench.write(cell, {
    'package.json': JSON.stringify({ name: cell.name, private: true, type: 'module', devDependencies }),
    'realm.json': readFileSync(REALM, 'utf8'),
  });
  cpSync(join(ROOT, 'compat/vitest'), home, { recursive: true });
  if (!(await bench.tryStep({ cell, step: 'install', home, command: 'npm', args: ['install', tarball] }))) return;
  await bench.tryStep({ cell, step: 'tsc', home, args: TSC });
  await bench.tryStep({ cell, step: 'Vitest', home, args: ['node_modules/vitest/vitest.mjs', 'run'] });
}

/** @param {Workbench} bench @param {string} tarball */
export async function tryOtherServers(bench, tarball) {
  const cell = MORE.otherServers;
  const home = bench.prepare(cell, { jose: '^6.2.0' });
  cpSync(join(ROOT, 'compat/other-servers'), join(home, 'src'), { recursive: true });
  if (!(await bench.tryStep({ cell, step: 'install', home, command: 'npm', args: ['install', tarball] }))) return;
  if (!(await bench.tryStep({ cell, step: 'tsc', home, args: TSC }))) return;
  for (const [PROFILE, tokenFormat] of Object.entries(PROFILES)) {
    await withOidcProvider(tokenFormat, bench.signal, (ISSUER, version) => {
      const step = `${PROFILE} at oidc-provider ${version}`;
      return bench.tryStep({
        cell,
        step,
        home,
        args: ['dist/src/other-servers.js'],
        environment: { ISSUER, PROFILE, NODE_ENV: 'development' },
      });
    });
  }
}

/** @param {Workbench} bench @param {string} tarball */
export async function tryTypeScripts(bench, tarball) {
  const cell = MORE.typescript;
  const home = bench.prepare(cell);
  if (!(await bench.tryStep({ cell, step: 'install', home, command: 'npm', args: ['install', tarball] }))) return;
  for (const version of TYPESCRIPTS) {
    const typescript = await tool('typescript', version, bench.signal);
    await bench.tryStep({
      cell,
      step: `TypeScript ${version}`,
      home,
      args: [join(typescript, 'bin/tsc'), '--noEmit'],
    });
    const old = join(home, `old-${version}`);
    cpSync(join(ROOT, 'examples/migrated/before/src'), join(old, 'src'), { recursive: true });
    mkdirSync(join(old, 'node_modules'));
    symlinkSync(typescript, join(old, 'node_modules/typescript'));
    const cli = join(home, 'node_modules/nestjs-keycloak-s2s/dist/cli/cli.js');
    const args = [cli, 'migrate-from-nest-keycloak-connect', '--write', join(old, 'src')];
    await bench.tryStep({ cell, step: `migration, TypeScript ${version}`, home, args });
  }
}
