/** Jest runs the output of `tsc`. Only the project `e2e` starts a server. */
const common = { testEnvironment: 'node', transform: {} };

export default {
  // A real Keycloak on a busy machine may be slow to issue the first token.
  testTimeout: 60_000,
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/dist/src/**/*.spec.js'] },
    {
      ...common,
      displayName: 'e2e',
      testMatch: ['<rootDir>/dist/test/**/*.e2e-spec.js'],
      // #region server
      globalSetup: 'keycloak-test-servers/jest-setup',
      globalTeardown: 'keycloak-test-servers/jest-teardown',
      globals: {
        authorizationServer: {
          realm: 'realm.json',
          environment: { ORDERS_CLIENT_SECRET: 'orders-secret', INVENTORY_CLIENT_SECRET: 'inventory-secret' },
        },
      },
      // #endregion server
    },
  ],
};
