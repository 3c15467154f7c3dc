import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // #region server
    globalSetup: 'keycloak-test-servers/vitest-setup',
    provide: {
      authorizationServer: {
        realm: 'realm.json',
        environment: { ORDERS_CLIENT_SECRET: 'orders-secret', INVENTORY_CLIENT_SECRET: 'inventory-secret' },
      },
    },
    // #endregion server
  },
});
