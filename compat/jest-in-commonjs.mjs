// What ts-jest needs in an application of CommonJS, beside what it has anyway.

/** @param {object} compilerOptions of the application */
export const tsJestInCommonJs = (compilerOptions) => ({
  // #region ts-jest
  transform: { '[.][tj]s$': ['ts-jest', { tsconfig: { ...compilerOptions, allowJs: true, isolatedModules: true } }] },
  transformIgnorePatterns: ['/node_modules/(?!(nestjs-keycloak-s2s|oauth4webapi)/)'],
  // #endregion ts-jest
});
