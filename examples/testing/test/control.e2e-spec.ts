/** No other test file uses the embedded server of this file. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startAuthorizationServer, type RunningAuthorizationServer } from 'keycloak-test-servers';
import request from 'supertest';
import { SECRETS, startShop, type RunningShop } from './running-shop.js';
import { tokenOf } from './token-of.js';

let server: RunningAuthorizationServer;
let shop: RunningShop;
let asking: RunningShop;

beforeAll(async () => {
  // #region start
  server = await startAuthorizationServer({ realm: 'realm.json', environment: SECRETS });
  // #endregion start
  shop = await startShop(server.issuer);
  asking = await startShop(server.issuer, { introspectionTtlSeconds: 0 });
});

beforeEach(() => server.control.calls.reset());

afterAll(async () => {
  await shop.stop();
  await asking.stop();
  await server.stop();
});

const offer = ({ orders }: RunningShop, token: string) =>
  request(orders.getHttpServer()).get('/orders/pen').auth(token, { type: 'bearer' });

describe('orders', () => {
  it('introspects a token once, and exchanges the token once', async () => {
    const token = await tokenOf(server.issuer, 'alice');
    for (let times = 0; times < 5; times += 1) await offer(shop, token).expect(200);
    const { introspection, token: tokens } = server.control.calls.of('orders');
    expect([introspection, tokens.token_exchange]).toEqual([1, 1]);
  });

  it('answers 503, not 401, while Keycloak is unavailable', async () => {
    const token = await tokenOf(server.issuer, 'alice');
    server.control.fault('introspection', { kind: 'status', status: 503 });
    await offer(asking, token).expect(503);
    server.control.fault('introspection', undefined);
    await offer(asking, token).expect(200);
  });

  // #region tests
  it('retries after one broken connection', async () => {
    const token = await tokenOf(server.issuer, 'alice');
    server.control.fault('introspection', { kind: 'reset', times: 1 });
    await offer(asking, token).expect(200);
    expect(server.control.calls.of('orders').introspection).toBe(2);
  });
  // #endregion tests

  it('refuses a token of a disabled user', async () => {
    const token = await tokenOf(server.issuer, 'alice');
    await offer(asking, token).expect(200);
    server.control.disableUser('alice');
    await offer(asking, token).expect(401);
    server.control.enableUser('alice');
  });

  // #region clock
  it('refuses a token that has expired', async () => {
    const token = await tokenOf(server.issuer, 'alice');
    await offer(asking, token).expect(200);
    server.control.clock.advance(3600);
    await offer(asking, token).expect(401);
  });
  // #endregion clock
});
