import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KeycloakTestingModule, signIn, testAccessToken, testServices } from 'nestjs-keycloak-s2s/testing';
import request from 'supertest';
import { OrdersModule } from './orders.module.js';

let app: INestApplication;

beforeAll(async () => {
  const settings = {
    issuer: 'https://sso.test/realms/shop',
    clientSecret: 'x',
    inventoryUrl: 'https://inventory.test',
  };
  const builder = Test.createTestingModule({ imports: [OrdersModule.register(settings)] });
  app = (await KeycloakTestingModule.override(builder).compile()).createNestApplication();
  await app.init();
});

afterAll(() => app.close());

const offer = () => request(app.getHttpServer()).get('/orders/pen');
const alice = { subject: 'alice', permissions: ['orders.read'] };

// #region tests
describe('GET /orders/:article', () => {
  it('asks inventory in the name of the caller', async () => {
    const stock = { left: 3, reader: 'alice', through: 'orders' };
    testServices(app).on('inventory', 'GET', '/stock/pen').reply(200, stock);
    await offer()
      .auth(signIn(app, testAccessToken(alice)), { type: 'bearer' })
      .expect(200, { article: 'pen', ...stock });
    expect(testServices(app).calls).toMatchObject([
      { service: 'inventory', subject: 'alice', scope: 'stock.read', audience: 'inventory', grant: 'token_exchange' },
    ]);
  });

  it('refuses a request without a token', async () => {
    await offer().expect(401);
  });

  it.each([
    ['without the permission', { ...alice, permissions: [] }, 403],
    ['for another service', { ...alice, audience: 'inventory' }, 401],
    ['that has expired', { ...alice, expiresInSeconds: -60 }, 401],
  ])('refuses a token %s', async (_, options, status) => {
    const answer = await offer().auth(signIn(app, testAccessToken(options)), { type: 'bearer' });
    expect(answer.status).toBe(status);
  });
});
// #endregion tests
