/** Starts the authorization server, `inventory` and `orders` (through its `main.ts`) in one process. */
import { NestFactory } from '@nestjs/core';
import { startTestServer } from 'keycloak-test-servers';
import { InventoryModule } from './inventory/inventory.module.js';

// Without NODE_ENV, the test server assumes production and does not start.
process.env['NODE_ENV'] ??= 'development';
const { KEYCLOAK_PORT = '8080', INVENTORY_PORT = '3001', PORT = '3000' } = process.env;
const secrets = { ORDERS_CLIENT_SECRET: 'orders-secret', INVENTORY_CLIENT_SECRET: 'inventory-secret' };
// Ctrl-C also stops a server that is still starting.
const interruption = new AbortController();
process.on('SIGINT', () => interruption.abort());
// #region server
const server = await startTestServer({
  realm: 'realm.json',
  environment: secrets,
  port: Number(KEYCLOAK_PORT),
  onProgress: console.log,
  signal: interruption.signal,
});
// #endregion server
interruption.signal.addEventListener('abort', () => void server.stop().finally(() => process.exit()));

const inventory = await NestFactory.create(
  InventoryModule.register({
    issuer: server.issuer,
    clientSecret: secrets.INVENTORY_CLIENT_SECRET,
    allowInsecureRequests: true,
  }),
);
await inventory.listen(INVENTORY_PORT, '127.0.0.1');

Object.assign(process.env, {
  PORT,
  ISSUER: server.issuer,
  ORDERS_CLIENT_SECRET: secrets.ORDERS_CLIENT_SECRET,
  INVENTORY_URL: `http://localhost:${INVENTORY_PORT}`,
});
await import('./main.js');
console.log(`orders at http://localhost:${PORT}, on the ${server.kind} server ${server.issuer}`);
