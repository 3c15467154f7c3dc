/** Starts `orders` like the production service, but with a network in memory. */
import type { INestApplication } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { KeycloakTestingModule } from 'nestjs-keycloak-s2s/testing';
import { OrdersModule } from './orders.module.js';

// #region function
export async function ordersWithoutServer(
  adapter: AbstractHttpAdapter = new ExpressAdapter(),
): Promise<INestApplication> {
  const orders = OrdersModule.register({
    issuer: 'https://sso.test/realms/shop',
    clientSecret: 'x',
    inventoryUrl: 'https://inventory.test',
  });
  const builder = Test.createTestingModule({ imports: [orders] });
  const app = (await KeycloakTestingModule.override(builder).compile()).createNestApplication(adapter);
  return app.listen(0, '127.0.0.1').then(() => app);
}
// #endregion function
