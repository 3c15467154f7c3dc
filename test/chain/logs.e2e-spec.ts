import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { claimsOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { RunningServices } from '../support/running-services.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const IDS = { 'X-Request-Id': 'r-1', traceparent: `00-${TRACE}-00f067aa0ba902b7-00` };

let keycloak: ContractServer;
let services: RunningServices;
let alice: string;

beforeAll(async () => {
  keycloak = await connectToKeycloak();
  services = await RunningServices.start({ only: ['service-a'], variables: { REQUEST_LOG: 'true' } });
  alice = textOf(await login(keycloak, 'alice'));
});
afterAll(async () => {
  await services.stop();
  await keycloak.stop();
});

const lines = (): Record<string, unknown>[] =>
  services
    .printed()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const last = (message: string): Record<string, unknown> | undefined =>
  lines().findLast((line) => line['message'] === message);

describe('a request to a service', () => {
  it('is logged with the route and a hash of the subject, without a token', async () => {
    await request(services.a.url).get('/api/orders/9876').set(IDS).auth(alice, { type: 'bearer' }).expect(200);
    const { sub } = claimsOf(alice);
    // The logger collects lines, and writes this line shortly after the answer.
    while (last('Request answered') === undefined) await sleep(5);
    expect(last('Request answered')).toMatchObject({
      level: 'info',
      method: 'GET',
      route: '/api/orders/:id',
      status: 200,
      requestId: 'r-1',
      traceId: TRACE,
      azp: 'demo-cli',
      subjectHash: createHash('sha256').update(String(sub)).digest('hex').slice(0, 16),
      durationMs: expect.any(Number) as unknown,
    });
    expect(JSON.stringify(last('Request answered'))).not.toContain(String(sub));
    expect(services.printed()).not.toContain(alice.slice(-40));
  });

  it('causes an audit line that names the caller and the missing permission', async () => {
    const bob = textOf(await login(keycloak, 'bob'));
    await request(services.a.url).get('/run-service-b').auth(bob, { type: 'bearer' }).expect(403);
    expect(last('Request refused')).toMatchObject({
      audit: 'denial',
      code: 'insufficient_scope',
      permission: 'orders.approve',
      iss: keycloak.issuer,
      azp: 'demo-cli',
      sub: claimsOf(bob)['sub'],
    });
  });

  it('is logged at level info, with the reason, if the guard refuses the request', async () => {
    await request(services.a.url).get('/api/orders/1?secret=1').set(IDS).expect(401);
    expect(last('Request refused')).not.toHaveProperty('audit');
    expect(last('Request refused')).toMatchObject({
      level: 'info',
      context: 'Refusal',
      code: 'missing_token',
      reason: 'no_credentials',
      method: 'GET',
      route: '/api/orders/:id',
      requestId: 'r-1',
      traceId: TRACE,
    });
    expect(services.printed()).not.toContain('secret=1');
  });

  it('is logged as an error that names the failed call if the called service is unreachable', async () => {
    await request(services.a.url).get('/api/orders/9876/receipt').auth(alice, { type: 'bearer' }).expect(503);
    expect(last('Request failed')).toMatchObject({
      level: 'error',
      code: 'service_unavailable',
      reason: 'ECONNREFUSED',
      route: '/api/orders/:id/receipt',
      method: 'GET',
      call: 'GET http://127.0.0.1:9/api/receipts/9876',
    });
  });
});
