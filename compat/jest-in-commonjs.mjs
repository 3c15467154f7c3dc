/**
 * @param {object} compilerOptions of the application
 * @param {string} esModules package names, separated by `|`
 */
export const tsJestInCommonJs = (compilerOptions, esModules = 'nestjs-keycloak-s2s|oauth4webapi') => ({
  // #region ts-jest
  transform: { '[.][tj]s$': ['ts-jest', { tsconfig: { ...compilerOptions, allowJs: true, isolatedModules: true } }] },
  transformIgnorePatterns: [`/node_modules/(?!(${esModules})/)`],
  // #endregion ts-jest
});
