/**
 * @jest-config-loader ts-node
 * @jest-config-loader-options {"transpileOnly":true,"skipProject":true,"compilerOptions":{"module":"CommonJS","moduleResolution":"Bundler","target":"ES2023"}}
 */
import type { Config } from 'jest';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/** Before Node 24.9, Jest can't load mcp-nest, which requires the ES modules of Nest. */
const withoutMcpNest = major < 24 || (major === 24 && minor < 9) ? ['<rootDir>/test/mcp/'] : [];
const ignored = ['/node_modules/', ...withoutMcpNest];

const common: Config = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  moduleNameMapper: {
    '^nestjs-keycloak-s2s$': '<rootDir>/libs/keycloak/src/index.ts',
    '^nestjs-keycloak-s2s/testing$': '<rootDir>/libs/keycloak/src/testing/index.ts',
    '^nestjs-keycloak-s2s/(.*)$': '<rootDir>/libs/keycloak/src/entry-points/$1/index.ts',
    '^nestjs-keycloak-s2s-mcp$': '<rootDir>/libs/mcp/src/index.ts',
    '^keycloak-test-servers$': '<rootDir>/libs/keycloak-test-servers/src/index.ts',
    '^demo$': '<rootDir>/libs/demo/src/index.ts',
    '^service-defaults$': '<rootDir>/libs/service-defaults/src/index.ts',
    // The `content-disposition` in `@fastify/static` is an ES module. Jest can't require ES modules before Node 24.9.
    '^content-disposition$': '<rootDir>/node_modules/content-disposition',
    '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'],
  },
  testPathIgnorePatterns: ignored,
  modulePathIgnorePatterns: ['<rootDir>/(apps|libs)/[^/]+/dist/'],
};

/** Jest calls the globalSetup once for both projects that name it. */
const withServer: Config = {
  ...common,
  globalSetup: '<rootDir>/test/support/start-server.mjs',
  setupFiles: ['<rootDir>/test/support/worker-realm.mjs'],
  globalTeardown: '<rootDir>/test/support/stop-server.mjs',
};

export default {
  reporters: ['default', '<rootDir>/test/support/run-report.mjs'],
  // In ESM mode, Jest never frees the modules of a spec file. Jest restarts a worker before the worker's heap is full.
  workerIdleMemoryLimit: '1GB',
  // While one spec waits for Keycloak or a browser, other specs can run.
  maxWorkers: 3,
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/{apps,libs}/*/src/**/*.spec.ts', '<rootDir>/test/**/*.spec.ts'],
    },
    {
      ...withServer,
      displayName: 'e2e',
      // Only `npm run verify:long` runs these specs, because each takes minutes.
      testPathIgnorePatterns: [...ignored, ...(process.env['UPGRADE'] === 'long' ? [] : ['<rootDir>/test/upgrade/'])],
      testMatch: ['<rootDir>/test/**/*.e2e-spec.ts', '<rootDir>/libs/*/contract/**/*.contract-spec.ts'],
    },
    { ...withServer, displayName: 'browser', testMatch: ['<rootDir>/test/**/*.browser-spec.ts'] },
  ],
  // This timeout is longer than every wait in a spec, even on a busy machine.
  testTimeout: 420_000,
  coverageProvider: 'v8',
  collectCoverageFrom: ['<rootDir>/{apps,libs}/*/src/**/*.ts', '!**/*.spec.ts'],
} satisfies Config;
