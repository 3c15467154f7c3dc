import { NestFactory } from '@nestjs/core';
import { OrdersModule } from './orders/orders.module.js';

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} must be set`);
  return value;
}

// #region orders
const app = await NestFactory.create(
  OrdersModule.register({
    issuer: required('ISSUER'),
    clientSecret: required('ORDERS_CLIENT_SECRET'),
    inventoryUrl: required('INVENTORY_URL'),
    allowInsecureRequests: process.env['NODE_ENV'] === 'development',
  }),
);
await app.listen(Number(process.env['PORT'] ?? 3000), process.env['HOST'] ?? '127.0.0.1');
// #endregion orders
