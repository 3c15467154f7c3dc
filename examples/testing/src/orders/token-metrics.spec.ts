import { expect, it } from '@jest/globals';
import { signIn, testAccessToken, testServices } from 'nestjs-keycloak-s2s/testing';
import request from 'supertest';
import { ordersWithoutServer } from './orders-without-server.js';
import { measureTokens } from './token-metrics.js';

it('records one exchange for the first request, and a cache hit for the second', async () => {
  const recorded: Record<string, string>[] = [];
  measureTokens({ record: (_, labels) => void recorded.push(labels) });
  const app = await ordersWithoutServer();
  testServices(app).on('inventory', 'GET', '/stock/pen').reply(200, { left: 3 });
  const bearer = signIn(app, testAccessToken({ subject: 'alice', permissions: ['orders.read'] }));
  for (let times = 0; times < 2; times += 1) {
    await request(app.getHttpServer()).get('/orders/pen').auth(bearer, { type: 'bearer' }).expect(200);
  }
  expect(recorded.map(({ outcome }) => outcome)).toEqual(['requested', 'reused']);
  await app.close();
});
