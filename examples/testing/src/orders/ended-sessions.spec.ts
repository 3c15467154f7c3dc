import { it } from '@jest/globals';
import { RevocationList } from 'nestjs-keycloak-s2s';
import { signIn, testAccessToken, testServices } from 'nestjs-keycloak-s2s/testing';
import request from 'supertest';
import { EndedSessions } from './ended-sessions.js';
import { ordersWithoutServer } from './orders-without-server.js';

it('refuses a token of a session that has ended', async () => {
  const app = await ordersWithoutServer();
  testServices(app).on('inventory', 'GET', '/stock/pen').reply(200, { left: 3 });

  const of = (sid: string) =>
    signIn(app, testAccessToken({ subject: 'alice', permissions: ['orders.read'], claims: { sid } }));
  const [ended, other] = [of('session-1'), of('session-2')];
  const offer = (bearer: string) => request(app.getHttpServer()).get('/orders/pen').auth(bearer, { type: 'bearer' });
  await offer(ended).expect(200);
  new EndedSessions(app.get(RevocationList)).sessionEnded({ sid: 'session-1' });
  await offer(ended).expect(401);
  await offer(other).expect(200);
  await app.close();
});
