import type { INestApplication } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { signIn, testAccessToken, testAuthorizationServer, testServices } from 'nestjs-keycloak-s2s/testing';
import request from 'supertest';
import { ordersWithoutServer } from './orders-without-server.js';

let app: INestApplication;

beforeEach(async () => {
  app = await ordersWithoutServer();
});

afterEach(() => app.close());

const alice = { subject: 'alice', permissions: ['orders.read'] };
const as = (options: object = {}) => signIn(app, testAccessToken({ ...alice, ...options }));
const offer = (bearer = as()) => request(app.getHttpServer()).get('/orders/pen').auth(bearer, { type: 'bearer' });
const stock = () => testServices(app).on('inventory', 'GET', '/stock/pen');

describe('the call to inventory', () => {
  // #region each-caller
  it('uses a separate token for each caller', async () => {
    stock().reply(200, { left: 3 });
    await offer(as({ subject: 'alice' })).expect(200);
    await offer(as({ subject: 'bob' })).expect(200);
    const call = { grant: 'token_exchange', client: 'orders', audience: 'inventory', scope: 'stock.read' };
    expect(testServices(app).calls).toMatchObject([
      { ...call, subject: 'alice' },
      { ...call, subject: 'bob' },
    ]);
  });
  // #endregion each-caller

  // #region renewal
  it('is repeated with a new token if inventory refuses the first token', async () => {
    const challenge = { 'www-authenticate': 'Bearer error="invalid_token"' };
    stock().reply(401, undefined, challenge).reply(200, { left: 3 });
    await offer().expect(200);
    expect(testServices(app).calls).toHaveLength(2);
  });
  // #endregion renewal

  it('is not made if the caller lacks the permission to read the stock', async () => {
    const { body } = await offer(as({ grantableScopes: [] })).expect(403);
    expect(body).toMatchObject({ code: 'insufficient_scope', permission: 'stock.read' });
    expect(testServices(app).calls).toEqual([]);
  });

  // #region faults
  it.each([
    ['refused', 503, 'service_unavailable'],
    ['reset', 503, 'service_unavailable'],
    ['timeout', 504, 'service_timeout'],
  ] as const)('may come to nothing: %s', async (fault, status, code) => {
    stock().fail(fault);
    const { body } = await offer().expect(status);
    expect(body).toMatchObject({ code });
  });
  // #endregion faults

  it('fails with 503 while Keycloak is unavailable, and succeeds when Keycloak is available again', async () => {
    testAuthorizationServer(app).fail('refused');
    const { body } = await offer().expect(503);
    expect(body).toMatchObject({ code: 'authorization_server_unavailable' });
    testAuthorizationServer(app).recover();
    stock().reply(200, { left: 3 });
    await offer().expect(200);
  });
});
