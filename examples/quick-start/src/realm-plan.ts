/** The modules for `npx nestjs-keycloak-s2s realm`, which needs no real address and no real secret. */
import { InventoryModule } from './inventory/inventory.module.js';
import { OrdersModule } from './orders/orders.module.js';

// #region modules
const settings = () => ({
  issuer: process.env['ISSUER'] ?? 'https://sso.example.com/realms/shop',
  clientSecret: 'unused',
  allowInsecureRequests: process.env['NODE_ENV'] === 'development',
});

export const orders = () => OrdersModule.register({ ...settings(), inventoryUrl: 'https://inventory.example.com' });

export const inventory = () => InventoryModule.register(settings());
// #endregion modules
