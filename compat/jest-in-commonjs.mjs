// What ts-jest needs in an application of CommonJS, beside what it has anyway.

/**
 * @param {object} compilerOptions of the application
 * @param {string} esModules names of packages, between bars
 */
export const tsJestInCommonJs = (compilerOptions, esModules = 'nestjs-keycloak-s2s|oauth4webapi') => ({
  // #region ts-jest
  transform: { '[.][tj]s$': ['ts-jest', { tsconfig: { ...compilerOptions, allowJs: true, isolatedModules: true } }] },
  transformIgnorePatterns: [`/node_modules/(?!(${esModules})/)`],
  // #endregion ts-jest
});
