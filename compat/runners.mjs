/** @typedef {import('./cells.mjs').Cell} Cell */
/** @typedef {import('./cells.mjs').Kind} Kind */
/** @typedef {{ name: string, files: (cell: Cell) => Record<string, string>, args: (cell: Cell) => string[] }} Runner */

const JEST = 'node_modules/jest/bin/jest.js';
const SOURCES = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*spec.ts'],
  moduleNameMapper: { '^([.]{1,2}/.*)[.]js$': '$1' },
};
const SWC = {
  swcrc: false,
  tsconfigFile: false,
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    keepClassNames: true,
  },
  module: { type: 'es6' },
};

const vitest = {
  name: 'Vitest',
  files: () => ({
    'vitest.config.mjs': `import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  oxc: false,
  esbuild: false,
  plugins: [swc.vite(${JSON.stringify(SWC)})],
  test: { globals: true, include: ['test/**/*spec.ts'] },
});
`,
  }),
  args: () => ['node_modules/vitest/vitest.mjs', 'run'],
};

/**
 * @param {string} name
 * @param {(cell: Cell) => object} config
 * @param {(cell: Cell) => boolean} loadsEsModules whether Jest loads ES modules, and does not compile them to CommonJS
 * @returns {Runner}
 */
function jest(name, config, loadsEsModules) {
  const file = `jest.${name.replaceAll(/\W/g, '')}.json`;
  return {
    name,
    files: (cell) => ({ [file]: `${JSON.stringify(config(cell), undefined, 2)}\n` }),
    args: (cell) => [...(loadsEsModules(cell) ? ['--experimental-vm-modules'] : []), JEST, `--config=${file}`],
  };
}

const ES_SOURCES = { ...SOURCES, extensionsToTreatAsEsm: ['.ts'] };
const OF_NEST_NEW = { '^.+\\.(t|j)s$': 'ts-jest' };
const BY_TS_JEST = { preset: 'nestjs-keycloak-s2s/ts-jest' };
const BY_SWC = { preset: 'nestjs-keycloak-s2s/swc-jest' };
const always = () => true;
const never = () => false;
const isNest12 = (/** @type {Cell} */ { nest }) => nest === '12';

/** @type {Record<Kind, Runner[]>} */
export const RUNNERS = {
  esm: [
    jest(
      'Jest',
      () => ({ testEnvironment: 'node', testMatch: ['<rootDir>/dist/test/**/*spec.js'], transform: {} }),
      always,
    ),
    jest('ts-jest', () => ({ ...ES_SOURCES, transform: { '[.]ts$': ['ts-jest', { useESM: true }] } }), always),
    jest('@swc/jest', () => ({ ...ES_SOURCES, ...BY_SWC, transformIgnorePatterns: ['/node_modules/'] }), always),
    vitest,
  ],
  cjs: [
    // `nest new` of Nest 12 makes Jest load the ES modules, so the service needs no preset.
    jest(
      'ts-jest',
      (cell) => ({ ...SOURCES, transform: OF_NEST_NEW, ...(isNest12(cell) ? {} : BY_TS_JEST) }),
      isNest12,
    ),
    jest('@swc/jest', () => ({ ...SOURCES, ...BY_SWC }), never),
    vitest,
  ],
};

/**
 * Returns the cause if a step is known to fail and the library can't fix the failure. If this step passes, npm run
 * compat reports that the cause no longer exists.
 *
 * @param {Cell} cell @param {string} step @param {string} node @param {string} output empty if the step passed
 * @returns {string | undefined}
 */
export function knownCause({ nest, kind }, step, node, output) {
  if (nest !== '12' || kind !== 'cjs' || step !== 'ts-jest' || Number(node) >= 24) return undefined;
  // If the output lacks this text, the cause of the failure is unknown.
  return output === '' || output.includes('Node v24.9') ? NEST_12_BY_TS_JEST : undefined;
}

const NEST_12_BY_TS_JEST =
  'Nest 12 consists of ES modules, which Jest can `require` since version 30.4.2, on Node 24.9 or newer. On older versions, use `@swc/jest` or Vitest.';
