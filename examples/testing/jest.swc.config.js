/** The settings of jest.config.js, except that Jest compiles TypeScript with SWC. */
import config from './jest.config.js';

const swc = {
  swcrc: false,
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    keepClassNames: true,
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

export default {
  ...config,
  projects: config.projects.map((project) => ({
    ...project,
    testMatch: project.testMatch.map((path) => path.replace('/dist/', '/').replace('.js', '.ts')),
    modulePathIgnorePatterns: ['<rootDir>/dist/'],
    extensionsToTreatAsEsm: ['.ts'],
    transform: { '[.]ts$': ['@swc/jest', swc] },
    moduleNameMapper: { '^([.]{1,2}/.*)[.]js$': '$1' },
  })),
};
