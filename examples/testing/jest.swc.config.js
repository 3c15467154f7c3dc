/** The settings of jest.config.js, except that Jest compiles TypeScript with SWC. */
import config from './jest.config.js';

export default {
  ...config,
  projects: config.projects.map((project) => ({
    ...project,
    preset: 'nestjs-keycloak-s2s/swc-jest',
    // Jest loads the packages as ES modules.
    transformIgnorePatterns: ['/node_modules/'],
    testMatch: project.testMatch.map((path) => path.replace('/dist/', '/').replace('.js', '.ts')),
    modulePathIgnorePatterns: ['<rootDir>/dist/'],
    extensionsToTreatAsEsm: ['.ts'],
    moduleNameMapper: { '^([.]{1,2}/.*)[.]js$': '$1' },
  })),
};
