import { NestFactory } from '@nestjs/core';
import type { INestApplication } from '@nestjs/common';
import { adapter } from './adapter.js';
import { InventoryModule } from './inventory.module.js';
import { OrdersModule } from './orders.module.js';
import type { Settings } from './settings.js';

export interface Both {
  readonly ordersUrl: string;
  readonly inventoryUrl: string;
  close(): Promise<void>;
}

export async function startBoth(issuer = process.env['ISSUER'] ?? '', settings: Partial<Settings> = {}): Promise<Both> {
  const common = { issuer, allowInsecureRequests: true, ...settings };
  const quiet = { logger: false } as const;
  const inventory: INestApplication = await NestFactory.create(
    InventoryModule.register({ ...common, clientSecret: 'inventory-secret' }),
    adapter(),
    quiet,
  );
  await inventory.listen(0, '127.0.0.1');
  const inventoryUrl = await inventory.getUrl();
  const orders: INestApplication = await NestFactory.create(
    OrdersModule.register({ ...common, clientSecret: 'orders-secret' }, inventoryUrl),
    adapter(),
    quiet,
  );
  await orders.listen(0, '127.0.0.1');
  return {
    ordersUrl: await orders.getUrl(),
    inventoryUrl,
    async close() {
      await orders.close();
      await inventory.close();
    },
  };
}
