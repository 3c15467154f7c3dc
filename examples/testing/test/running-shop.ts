import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { KeycloakModuleOptions } from 'nestjs-keycloak-s2s';
import { InventoryModule } from '../src/inventory/inventory.module.js';
import { OrdersModule } from '../src/orders/orders.module.js';

export const SECRETS = { ORDERS_CLIENT_SECRET: 'orders-secret', INVENTORY_CLIENT_SECRET: 'inventory-secret' };

export interface RunningShop {
  readonly orders: INestApplication;
  stop(): Promise<void>;
}

export async function startShop(issuer: string, options: Partial<KeycloakModuleOptions> = {}): Promise<RunningShop> {
  const common = { issuer, allowInsecureRequests: true, ...options };
  const inventory = await NestFactory.create(
    InventoryModule.register({ ...common, clientSecret: SECRETS.INVENTORY_CLIENT_SECRET }),
    { logger: ['error'] },
  );
  await inventory.listen(0, '127.0.0.1');
  const orders = await NestFactory.create(
    OrdersModule.register({
      ...common,
      clientSecret: SECRETS.ORDERS_CLIENT_SECRET,
      inventoryUrl: await inventory.getUrl(),
    }),
  );
  await orders.listen(0, '127.0.0.1');
  const stop = async () => {
    await orders.close();
    await inventory.close();
  };
  return { orders, stop };
}
