import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startFaultProxy, testServer, type RunningFaultProxy } from 'keycloak-test-servers';
import request from 'supertest';
import { startShop, type RunningShop } from './running-shop.js';
import { tokenOf } from './token-of.js';

const { baseUrl, issuer } = testServer();
let proxy: RunningFaultProxy;
let shop: RunningShop;

// #region proxy
beforeAll(async () => {
  proxy = await startFaultProxy({ target: baseUrl });
  shop = await startShop(issuer, { internalServerUrl: proxy.baseUrl, introspectionTtlSeconds: 0 });
});
// #endregion proxy

afterAll(async () => {
  await shop.stop();
  await proxy.stop();
});

// #region test
it('retries after one connection reset, and reports an unavailable Keycloak if no connection succeeds', async () => {
  const token = await tokenOf(issuer, 'alice');
  const offer = () => request(shop.orders.getHttpServer()).get('/orders/pen').auth(token, { type: 'bearer' });
  await proxy.fault({ kind: 'reset', times: 1 });
  await offer().expect(200);
  await proxy.fault({ kind: 'refuse' });
  proxy.resetConnections();
  const { body } = await offer().expect(503);
  expect(body).toMatchObject({ code: 'authorization_server_unavailable' });
  await proxy.fault(undefined);
});
// #endregion test
