/** Checks requirement RS-14 and a part of requirement TX-08. */
import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { testServer } from 'keycloak-test-servers';
import { tokenText } from '../../libs/keycloak/src/testing/token-text.js';
import { issuer } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { startFakeService } from '../support/fake-service.js';
import type { RunningService, Variables } from '../support/running-service.js';
import { NOWHERE, RunningServices } from '../support/running-services.js';

let chain: RunningServices;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  chain = await RunningServices.start();
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

afterAll(() => chain.stop());

async function listen(handler: RequestListener): Promise<string> {
  const fake = await startFakeService(handler);
  stops.push(() => fake.stop());
  return fake.url;
}

async function serviceA(variables: Variables): Promise<RunningService> {
  const services = await RunningServices.start({ only: ['service-a'], direct: true, variables });
  stops.push(() => services.stop());
  return services.a;
}

describe('Keycloak', () => {
  it.each<[string, RequestListener]>([
    ['answers 500', (_, response) => response.writeHead(500).end()],
    ['answers 429', (_, response) => response.writeHead(429, { 'Retry-After': '7' }).end()],
    ['answers HTML', (_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>')],
    ['answers truncated JSON', (_, response) => response.end('{"active":true')],
    ['closes the connection', (incoming) => incoming.socket.destroy()],
  ])('%s: the service answers 503 with Retry-After, and sends no challenge', async (_name, handler) => {
    const baseUrl = await listen(handler);
    const server = { baseUrl, issuer: issuer() };
    const services = await RunningServices.start({ only: ['service-c'], server, direct: true });
    stops.push(() => services.stop());
    const { c } = services;
    const junk = `Bearer ${tokenText('junk')}`;
    const { body, headers } = await request(c.url).get('/api/whoami').set('Authorization', junk).expect(503);
    expect(body).toMatchObject({
      error: 'Authorization server unavailable',
      code: 'authorization_server_unavailable',
    });
    expect(headers['retry-after']).toMatch(/^\d+$/);
    expect(headers).not.toHaveProperty('www-authenticate');
    await request(c.url).get('/health/live').expect(200);
    await request(c.url).get('/health/ready').expect(503);
  });

  it('is unreachable: the service answers 503, and is live but not ready', async () => {
    const a = await serviceA({ KEYCLOAK_BASE_URL: NOWHERE, SERVICE_B_URL: chain.b.url });
    await request(a.url)
      .get('/run-service-b')
      .expect(503)
      .expect(({ body }) => expect(body).toMatchObject({ code: 'authorization_server_unavailable' }));
    await request(a.url)
      .get('/run-service-b')
      .set('Accept', 'text/html')
      .expect(503)
      .expect(/Keycloak did not answer/);
    const { body } = await request(a.url).get('/health/ready').expect(503);
    expect(body).toMatchObject({ details: { keycloak: { status: 'down' } } });
    await request(a.url).get('/health/live').expect(200);
  });

  it('refuses the client secret: the service answers 502', async () => {
    const a = await serviceA({ SERVICE_A_CLIENT_SECRET: 'wrong', SERVICE_B_URL: chain.b.url });
    const { body } = await request(a.url).get('/run-service-b').expect(502);
    expect(body).toMatchObject({
      error: 'Authorization server refused this service',
      code: 'authorization_server_refused',
    });
    const ready = await request(a.url).get('/health/ready').expect(503);
    expect(ready.body).toMatchObject({
      details: { keycloak: { status: 'down', code: 'authorization_server_refused' } },
    });
    await request(a.url).get('/health/live').expect(200);
  });

  it('does not have the configured realm or issuer: the service answers 502', async () => {
    const a = await serviceA({ KEYCLOAK_REALM: 'none', KEYCLOAK_ISSUER: '', SERVICE_B_URL: chain.b.url });
    await request(a.url).get('/run-service-b').expect(502);
    const otherIssuer = issuer().replace('localhost', 'keycloak.example');
    const b = await serviceA({ KEYCLOAK_ISSUER: otherIssuer, SERVICE_B_URL: chain.b.url });
    await request(b.url).get('/run-service-b').expect(502);
  });
});

describe('Service B', () => {
  const INVALID = { 'WWW-Authenticate': 'Bearer realm="service-b", error="invalid_token"' };

  it.each<[string, number, string, RequestListener]>([
    ['closes the connection', 503, 'service_unavailable', (incoming) => incoming.socket.destroy()],
    ['answers 500', 502, 'service_failed', (_, response) => response.writeHead(500).end('{"stack":"secret"}')],
    ['answers 503', 502, 'service_failed', (_, response) => response.writeHead(503).end()],
    ['redirects', 502, 'service_failed', (_, response) => response.writeHead(302, { Location: NOWHERE }).end()],
    ['answers HTML', 502, 'service_failed', (_, response) => response.end('<html>')],
    ['answers nothing', 502, 'service_failed', (_, response) => response.writeHead(204).end()],
    ['answers unexpected JSON', 502, 'service_failed', (_, response) => response.end('{"service_b":"ok"}')],
    ['refuses the token', 502, 'service_refused', (_, response) => response.writeHead(401, INVALID).end()],
    ['refuses the client', 502, 'service_refused', (_, response) => response.writeHead(403).end()],
  ])('%s: Service A answers %i %s', async (_name, status, code, handler) => {
    const a = await serviceA({ SERVICE_B_URL: await listen(handler) });
    const { body, text } = await request(a.url).get('/run-service-b').expect(status);
    expect(body).toMatchObject({ code });
    expect(text).not.toContain('secret');
    await request(a.url)
      .get('/run-service-b')
      .set('Accept', 'text/html')
      .expect(status)
      .expect(/<h2 id="chain-result-heading">Next service/);
  });

  it('is unreachable: Service A answers 503 service_unavailable', async () => {
    const a = await serviceA({ SERVICE_B_URL: NOWHERE });
    const { body, headers } = await request(a.url).get('/run-service-b').expect(503);
    expect(body).toMatchObject({ code: 'service_unavailable' });
    expect(headers).toHaveProperty('retry-after');
  });

  it('answers too late: Service A answers 504 service_timeout', async () => {
    const a = await serviceA({ SERVICE_B_URL: await listen(() => undefined) });
    const { body } = await request(a.url).get('/run-service-b').expect(504);
    expect(body).toMatchObject({ code: 'service_timeout' });
  });

  it('refuses a token once: Service A renews the token, and its second call succeeds (CC-05)', async () => {
    const seen: (string | undefined)[] = [];
    const answer = { service_b: 'processed', service_c: { result: 20, msg: 'computed' } };
    const a = await serviceA({
      SERVICE_B_URL: await listen((incoming, response) => {
        seen.push(incoming.headers.authorization);
        if (seen.length === 1) response.writeHead(401, INVALID).end();
        else response.end(JSON.stringify(answer));
      }),
    });
    await request(a.url).get('/run-service-b').expect(200, answer);
    expect(new Set(seen).size).toBe(2);
  });

  it('refuses every token: Service A renews the token exactly once (CC-05)', async () => {
    const seen: (string | undefined)[] = [];
    const a = await serviceA({
      SERVICE_B_URL: await listen((incoming, response) => {
        seen.push(incoming.headers.authorization);
        response.writeHead(401, INVALID).end();
      }),
    });
    const { body } = await request(a.url).get('/run-service-b').expect(502);
    expect(body).toMatchObject({ code: 'service_refused' });
    expect(seen).toHaveLength(2);
    expect(new Set(seen).size).toBe(2);
  });

  it('answers 403: Service A answers 403 and names the missing permission', async () => {
    const a = await serviceA({
      SERVICE_B_URL: await listen((_, response) =>
        response.writeHead(403).end('{"code":"insufficient_scope","permission":"analytics.run"}'),
      ),
    });
    const access_token = textOf(await login(testServer(), 'alice'));
    const { body, headers } = await request(a.url)
      .get('/run-service-b')
      .set('Authorization', `Bearer ${access_token}`)
      .expect(403);
    expect(body).toMatchObject({ code: 'insufficient_scope', permission: 'analytics.run' });
    expect(headers['www-authenticate']).toBe('Bearer realm="service-a", error="insufficient_scope"');
  });
});
