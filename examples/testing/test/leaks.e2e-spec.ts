/** No token shows in an answer or in what the services print. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import { TokenLeakScanner } from 'nestjs-keycloak-s2s/testing';
import request from 'supertest';
import { startShop, type RunningShop } from './running-shop.js';
import { tokenOf } from './token-of.js';

const { issuer } = testServer();
let leaks: TokenLeakScanner;
let shop: RunningShop;

// #region scanner
beforeAll(async () => {
  leaks = TokenLeakScanner.start();
  shop = await startShop(issuer);
});

afterAll(async () => {
  await shop.stop();
  leaks.stop();
});

it('shows no token to anybody', async () => {
  for (const username of ['alice', 'bob']) {
    const token = await tokenOf(issuer, username);
    const answer = await request(shop.orders.getHttpServer()).get('/orders/pen').auth(token, { type: 'bearer' });
    leaks.saw(`the answer to ${username}`, JSON.stringify([answer.headers, answer.text]));
  }
  // Two that arrived at orders, and the one that alice's was exchanged for.
  expect(leaks.known).toBe(3);
  leaks.assertNone();
});
// #endregion scanner

it('would notice one', async () => {
  const token = await tokenOf(issuer, 'alice');
  leaks.issued(token);
  leaks.saw('an address', `https://shop.test/?access_token=${token}`);
  expect(leaks.found()).toMatchObject([{ where: 'an address', form: 'whole' }]);
});
