import { NestFactory } from '@nestjs/core';
import type { INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import request from 'supertest';
import { InventoryModule } from '../src/inventory/inventory.module.js';
import { OrdersModule } from '../src/orders/orders.module.js';
import { tokenOf } from './token-of.js';

// #region services
const { issuer } = testServer();
let inventory: INestApplication;
let orders: INestApplication;

beforeAll(async () => {
  // Plain HTTP is for tests and development only.
  const common = { issuer, allowInsecureRequests: true };
  inventory = await NestFactory.create(InventoryModule.register({ ...common, clientSecret: 'inventory-secret' }));
  await inventory.listen(0, '127.0.0.1');
  const settings = { ...common, clientSecret: 'orders-secret', inventoryUrl: await inventory.getUrl() };
  orders = await NestFactory.create(OrdersModule.register(settings));
  await orders.init();
});
// #endregion services

afterAll(async () => {
  await orders.close();
  await inventory.close();
});

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());

// #region tests
it('asks inventory in the name of the caller', async () => {
  const token = await tokenOf(issuer, 'alice');
  await request(orders.getHttpServer())
    .get('/orders/pen')
    .auth(token, { type: 'bearer' })
    .expect(200, { article: 'pen', left: 3, reader: claimsOf(token).sub, through: 'orders' });
});

it('names the permission that the caller lacks', async () => {
  const answer = await request(orders.getHttpServer())
    .get('/orders/pen')
    .auth(await tokenOf(issuer, 'bob'), { type: 'bearer' });
  expect(answer.status).toBe(403);
  expect(answer.body).toMatchObject({ code: 'insufficient_scope', permission: 'stock.read' });
});

it('refuses a token for orders at inventory', async () => {
  await request(inventory.getHttpServer())
    .get('/stock/pen')
    .auth(await tokenOf(issuer, 'alice'), { type: 'bearer' })
    .expect(401);
});
// #endregion tests
