import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import { TokenLeakScanner } from 'nestjs-keycloak-s2s/testing';
import request from 'supertest';
import { startShop, type RunningShop } from './running-shop.js';
import { tokenOf } from './token-of.js';

const { issuer } = testServer();
let scanner: TokenLeakScanner;
let shop: RunningShop;

// #region scanner
beforeAll(async () => {
  scanner = TokenLeakScanner.start();
  shop = await startShop(issuer);
});

afterAll(async () => {
  await shop.stop();
  scanner.stop();
});

it('shows no token to anybody', async () => {
  for (const username of ['alice', 'bob']) {
    const token = await tokenOf(issuer, username);
    const answer = await request(shop.orders.getHttpServer()).get('/orders/pen').auth(token, { type: 'bearer' });
    scanner.inspect(`the answer to ${username}`, JSON.stringify([answer.headers, answer.text]));
  }
  // Two received tokens and the exchanged token of alice; on Node.js 24 also the tokens in `fetch` responses.
  expect(scanner.knownCount).toBeGreaterThanOrEqual(3);
  scanner.assertNone();
});
// #endregion scanner

it('detects a leaked token', async () => {
  const token = await tokenOf(issuer, 'alice');
  scanner.addToken(token);
  scanner.inspect('an address', `https://shop.test/?access_token=${token}`);
  expect(scanner.leaks()).toMatchObject([{ where: 'an address', form: 'whole' }]);
});
