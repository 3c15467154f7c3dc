/** @typedef {'esm' | 'cjs'} Kind */
/** @typedef {{ name: string, nest: '11' | '12', adapter: 'express' | 'fastify', kind: Kind, isOldest?: boolean, isWithoutOpenApi?: boolean }} Cell */

export const NODES = ['20', '22', '24', '26'];

/** The oldest Node.js versions that package.json allows. */
export const OLDEST_NODES = ['20.19.0', '22.12.0'];

/** Maven's repository has the distribution of each of these versions. */
export const KEYCLOAKS = ['26.4.7', '26.5.6', '26.6.4', '26.7.4', '26.7.5'];

export const TYPESCRIPTS = ['5.6', '5.7', '5.8', '5.9', '6.0', '7.0'];

/** @type {Cell[]} */
export const CELLS = /** @type {const} */ (['11', '12']).flatMap((nest) =>
  /** @type {const} */ (['express', 'fastify']).flatMap((adapter) =>
    /** @type {const} */ (['esm', 'cjs']).map((kind) => ({ name: `${nest}-${adapter}-${kind}`, nest, adapter, kind })),
  ),
);

/** The oldest peer versions, on the oldest Node.js that can `require` an ES module. @type {Cell[]} */
export const OLDEST = [
  // The oldest `@nestjs/swagger` in the range requires Nest 11.0.1.
  { name: 'oldest-11', nest: '11', adapter: 'express', kind: 'cjs', isOldest: true, isWithoutOpenApi: true },
  { name: 'oldest-12', nest: '12', adapter: 'fastify', kind: 'esm', isOldest: true },
];

export const MORE = /** @type {const} */ ({
  pnpm: { name: 'pnpm', nest: '12', adapter: 'fastify', kind: 'esm' },
  pnpmCommonJs: { name: 'pnpm-cjs', nest: '11', adapter: 'express', kind: 'cjs' },
  esbuild: { name: 'esbuild', nest: '11', adapter: 'express', kind: 'cjs' },
  contexts: { name: 'contexts', nest: '11', adapter: 'express', kind: 'esm' },
  mcp: { name: 'mcp', nest: '11', adapter: 'express', kind: 'esm' },
  otherServers: { name: 'other-servers', nest: '12', adapter: 'express', kind: 'esm' },
  typescript: { name: 'typescript', nest: '12', adapter: 'express', kind: 'esm' },
  vitest: { name: 'vitest', nest: '12', adapter: 'express', kind: 'esm' },
  nestNew11: { name: 'nest-new-11', nest: '11', adapter: 'express', kind: 'cjs' },
  nestNew12: { name: 'nest-new-12', nest: '12', adapter: 'express', kind: 'esm' },
});

/** The packages of examples/contexts for Nest 11, which uses a different NATS client. */
export const CONTEXTS_ON_NEST_11 = {
  dependencies: {
    '@apollo/server': '^5.0.0',
    '@as-integrations/express5': '^1.1.2',
    '@nestjs/apollo': '^13.0.0',
    '@nestjs/common': '^11.0.0',
    '@nestjs/core': '^11.0.0',
    '@nestjs/graphql': '^13.0.0',
    '@nestjs/microservices': '^11.0.0',
    '@nestjs/platform-express': '^11.0.0',
    '@nestjs/platform-ws': '^11.0.0',
    '@nestjs/websockets': '^11.0.0',
    graphql: '^16.11.0',
    nats: '^2.29.3',
    'reflect-metadata': '^0.2.2',
    rxjs: '^7.8.2',
  },
  devDependencies: {
    '@jest/globals': '^30.2.0',
    '@nestjs/testing': '^11.0.0',
    '@types/node': '^20.19.0',
    '@types/ws': '^8.18.1',
    jest: '^30.2.0',
    typescript: '~5.9.3',
    ws: '^8.18.0',
  },
};

/** The versions of the other MCP clients, which need Node 22.19. */
export const MCP_CLIENTS = { inspector: '2.12.0', conformance: '0.1.16', node: '24' };

/** Nest loads these packages only if installed, so the bundler must keep them external. */
export const OPTIONAL_OF_NEST = ['@nestjs/microservices', '@nestjs/websockets', 'class-validator', 'class-transformer'];

/** `--quick` in CI runs three very different combinations, each with one test runner and one Node.js version. */
export const QUICK = [
  { cell: '11-fastify-esm', runner: 'Jest', node: '22' },
  { cell: '12-express-cjs', runner: 'Vitest', node: '24' },
  { cell: '12-fastify-esm', runner: '@swc/jest', node: '26' },
];

/** The installation of Nest 12.0.0 needs flags, since `@nestjs/core` 12.0.0 requires `@nestjs/common` 11. */
const OLDEST_NEST = { 11: '11.0.0', 12: '12.0.1' };
const NEST_AXIOS = { 11: '4.0.0', 12: '12.0.0' };
const NEST_SWAGGER = { 11: '11.0.0', 12: '12.0.0' };
const TYPESCRIPT = { 11: '~5.9.3', 12: '~6.0.3' };
export const OLDEST_JEST = { jest: '29.7.0', 'ts-jest': '29.3.2' };

/** @param {Cell} cell */
export function manifest({ name, nest, adapter, kind, isOldest = false, isWithoutOpenApi = false }) {
  const range = (/** @type {string} */ oldest) => (isOldest ? oldest : `^${oldest}`);
  const ofNest = range(OLDEST_NEST[nest]);
  return {
    name,
    private: true,
    ...(kind === 'esm' ? { type: 'module' } : {}),
    dependencies: {
      '@nestjs/axios': range(NEST_AXIOS[nest]),
      '@nestjs/common': ofNest,
      '@nestjs/core': ofNest,
      [`@nestjs/platform-${adapter}`]: ofNest,
      ...(isWithoutOpenApi ? {} : { '@nestjs/swagger': range(NEST_SWAGGER[nest]) }),
      '@opentelemetry/api': range('1.9.0'),
      axios: range('1.8.0'),
      jose: range('6.2.18'),
      'reflect-metadata': range('0.2.0'),
      rxjs: range('7.8.0'),
    },
    devDependencies: {
      '@nestjs/testing': ofNest,
      '@swc/core': '^1.15.0',
      '@swc/jest': '^0.2.39',
      '@types/jest': '^30.0.0',
      '@types/node': '^20.19.0',
      jest: '^30.2.0',
      'ts-jest': '^29.4.5',
      ...(isOldest && kind === 'cjs' ? OLDEST_JEST : {}),
      typescript: TYPESCRIPT[nest],
      'unplugin-swc': '^1.5.9',
      vitest: '^4.0.0',
    },
  };
}

/** The tsconfig that `nest new` writes, for both module kinds. */
export const TSCONFIG = {
  compilerOptions: {
    target: 'ES2023',
    module: 'NodeNext',
    types: ['node', 'jest'],
    strict: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    esModuleInterop: true,
    isolatedModules: true,
    skipLibCheck: true,
    rootDir: '.',
    outDir: 'dist',
  },
  include: ['src', 'test'],
};

/** With these settings of Nest 10 and older, packages resolve by `main`, `types` and `typesVersions`. */
export const CLASSIC = ['--noEmit', '--module', 'commonjs', '--moduleResolution', 'node10'];

/** @param {Cell} cell */
export const adapterSource = ({ adapter }) =>
  adapter === 'express'
    ? "import { ExpressAdapter } from '@nestjs/platform-express';\n\nexport const adapter = (): ExpressAdapter => new ExpressAdapter();\n"
    : "import { FastifyAdapter } from '@nestjs/platform-fastify';\n\nexport const adapter = (): FastifyAdapter => new FastifyAdapter();\n";
