import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { KeycloakTestingModule, signIn, testAccessToken, testServices } from 'nestjs-keycloak-s2s/testing';
import { adapter } from '../src/adapter.js';
import { ask } from '../src/ask.js';
import { OrdersModule } from '../src/orders.module.js';

const ALICE = { subject: 'alice', permissions: ['orders.read'] };

let app: INestApplication;
let url: string;

beforeAll(async () => {
  const settings = { issuer: 'https://sso.test/realms/shop', clientSecret: 'x' };
  const builder = Test.createTestingModule({ imports: [OrdersModule.register(settings, 'https://inventory.test')] });
  const module = await KeycloakTestingModule.override(builder).compile();
  app = module.createNestApplication(adapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  url = `${await app.getUrl()}/orders`;
});

afterAll(() => app?.close());

describe('orders', () => {
  it('answers the public route even without a token', async () => {
    expect(await ask(`${url}/public`)).toEqual({ status: 200, body: { open: true } });
  });

  it('answers a request to the guarded route if the caller has the permission', async () => {
    const token = signIn(app, testAccessToken(ALICE));
    expect(await ask(`${url}/guarded`, token)).toEqual({ status: 200, body: { subject: 'alice' } });
  });

  it.each([
    ['no token', undefined, 401, 'missing_token'],
    ['a token that lacks the permission', { ...ALICE, permissions: [] }, 403, 'insufficient_scope'],
    ['a token for another service', { ...ALICE, audience: 'inventory' }, 401, 'invalid_token'],
    ['a token that has expired', { ...ALICE, expiresInSeconds: -60 }, 401, 'invalid_token'],
  ])('refuses a request with %s on the guarded route', async (_, options, status, code) => {
    const token = options === undefined ? undefined : signIn(app, testAccessToken(options));
    const answer = await ask(`${url}/guarded`, token);
    expect([answer.status, answer.body['code']]).toEqual([status, code]);
  });

  it('refuses every request to a route that has no access decorator', async () => {
    const answer = await ask(`${url}/forgotten`, signIn(app, testAccessToken(ALICE)));
    expect([answer.status, answer.body['code']]).toEqual([403, 'route_closed']);
  });

  it.each(['stock', 'stock-by-http-service'])(
    'calls inventory on behalf of the caller of orders: %s',
    async (route) => {
      const stock = { left: 3, reader: 'alice', through: 'orders' };
      testServices(app).on('inventory', 'GET', '/stock').reply(200, stock);
      expect(await ask(`${url}/${route}`, signIn(app, testAccessToken(ALICE)))).toEqual({ status: 200, body: stock });
      const call = { service: 'inventory', subject: 'alice', scope: 'stock.read', grant: 'token_exchange' };
      expect(testServices(app).calls.at(-1)).toMatchObject(call);
    },
  );
});
