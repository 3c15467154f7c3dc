import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  KeycloakTestingModule,
  signIn,
  testAccessToken,
  testServices,
  type TestAccessTokenOptions,
} from 'nestjs-keycloak-s2s/testing';
import { equipService, serviceAdapter } from 'service-defaults';
import request from 'supertest';
import { serviceBConfig } from './config.js';
import { ServiceBModule } from './service-b.module.js';

const settings = {
  keycloak: { issuer: 'https://sso.example.com/realms/shop', clientId: 'service-b', clientSecret: 'a secret' },
  urls: Object.fromEntries(
    Object.keys(serviceBConfig.description.calls).map((name) => [name, `https://${name}.internal`]),
  ),
};

let app: NestFastifyApplication;

beforeAll(async () => {
  const builder = Test.createTestingModule({ imports: [ServiceBModule.register({ demoMode: false })] })
    .overrideProvider(serviceBConfig.KEY)
    .useValue(settings);
  const module = await KeycloakTestingModule.override(builder)
    .setLogger({ log() {}, warn() {}, error() {} })
    .compile();
  app = equipService(module.createNestApplication<NestFastifyApplication>(serviceAdapter()));
  await app.listen(0, '127.0.0.1');
});
beforeEach(() => testServices(app).reset());
afterAll(() => app.close());

const post = (path: string, caller: TestAccessTokenOptions, body: object): request.Test =>
  request(app.getHttpServer())
    .post(path)
    .auth(signIn(app, testAccessToken(caller)), { type: 'bearer' })
    .send(body);

describe('POST /api/process', () => {
  const approver = { subject: 'alice', client: 'service-a', permissions: ['orders.approve'] };
  const process = (caller: TestAccessTokenOptions): request.Test =>
    post('/api/process', caller, { order_id: 7, amount: 12.5 });

  it('calls Service C with a token that was exchanged only for this call (TX-01)', async () => {
    const computed = { result: 20, msg: 'done' };
    testServices(app).on('service-c', 'POST', '/api/compute').reply(200, computed);
    const { body } = await process(approver).expect(200);
    expect(body).toEqual({ service_b: 'Order 7 processed by Service B', service_c: computed });
    expect(testServices(app).calls).toMatchObject([
      {
        grant: 'token_exchange',
        subject: 'alice',
        client: 'service-b',
        audience: 'service-c',
        scope: 'analytics.run',
        body: { value: 10 },
      },
    ]);
  });

  it.each<[string, number, object, TestAccessTokenOptions]>([
    ['has no permission', 403, { code: 'insufficient_scope', permission: 'orders.approve' }, { permissions: [] }],
    ['uses another client', 403, { code: 'client_not_allowed' }, { client: 'warehouse' }],
    ['has a token for Service A', 401, { code: 'invalid_token' }, { audience: 'service-a' }],
    ['has a token that has expired', 401, { code: 'invalid_token' }, { expiresInSeconds: -60 }],
  ])('refuses a caller that %s, and calls no service', async (_, status, refusal, overrides) => {
    const { body } = await process({ ...approver, ...overrides }).expect(status);
    expect(body).toMatchObject(refusal);
    expect(testServices(app).calls).toEqual([]);
  });

  it('refuses a caller without the required permission at Service C', async () => {
    const { body } = await process({ ...approver, grantableScopes: [] }).expect(403);
    expect(body).toMatchObject({ code: 'insufficient_scope', permission: 'analytics.run' });
    expect(testServices(app).calls).toEqual([]);
  });

  it.each([
    ['is unreachable', 503, 'service_unavailable', () => serviceC().fail('refused')],
    ['is too slow', 504, 'service_timeout', () => serviceC().fail('timeout')],
    ['fails', 502, 'service_failed', () => serviceC().reply(500)],
    ['returns an unexpected answer', 502, 'service_failed', () => serviceC().reply(200, { result: 'twenty' })],
  ])('reports that Service C %s', async (_, status, code, answer) => {
    answer();
    const { body } = await process(approver).expect(status);
    expect(body).toMatchObject({ code });
  });

  const serviceC = () => testServices(app).on('service-c', 'POST', '/api/compute');
});

describe('POST /api/refunds', () => {
  const approver = { subject: 'alice', client: 'service-a', permissions: ['orders.approve'] };
  const refund = (caller: TestAccessTokenOptions): request.Test =>
    post('/api/refunds', caller, { order_id: 7, amount: 12.5 });

  it('calls Service C for a caller who has logged in recently (RS-11)', async () => {
    const computed = { result: 20, msg: 'done' };
    testServices(app).on('service-c', 'POST', '/api/compute').reply(200, computed);
    const { body } = await refund({ ...approver, authenticatedSecondsAgo: 290 }).expect(200);
    expect(body).toEqual({ service_b: 'Order 7 refunded by Service B', service_c: computed });
    expect(testServices(app).calls).toMatchObject([{ subject: 'alice', audience: 'service-c' }]);
  });

  it.each<[string, number, object, TestAccessTokenOptions]>([
    ['logged in too long ago', 401, { code: 'insufficient_user_authentication' }, { authenticatedSecondsAgo: 320 }],
    ['has a token without a login time', 401, { code: 'insufficient_user_authentication', maxAgeSeconds: 300 }, {}],
    ['has no permission', 403, { code: 'insufficient_scope' }, { permissions: [], authenticatedSecondsAgo: 1 }],
    ['uses another client', 403, { code: 'client_not_allowed' }, { client: 'warehouse', authenticatedSecondsAgo: 1 }],
  ])('refuses a caller that %s, and calls no service', async (_, status, refusal, overrides) => {
    const { body } = await refund({ ...approver, ...overrides }).expect(status);
    expect(body).toMatchObject(refusal);
    expect(testServices(app).calls).toEqual([]);
  });
});

describe('POST /api/inventory/adjust', () => {
  const warehouse = { client: 'warehouse', permissions: ['inventory.adjust'] };

  it('accepts only the client warehouse as a caller', async () => {
    const change = { sku: 'A-1', quantity: 5 };
    const { body } = await post('/api/inventory/adjust', warehouse, change).expect(200);
    expect(body).toEqual({ sku: 'A-1', quantity: 105 });
    await post('/api/inventory/adjust', { ...warehouse, client: 'service-a' }, change).expect(403);
    await post('/api/inventory/adjust', { ...warehouse, permissions: ['orders.approve'] }, change).expect(403);
    expect(testServices(app).calls).toEqual([]);
  });
});
