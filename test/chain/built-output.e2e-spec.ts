import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, testServer } from 'keycloak-test-servers';
import { TokenLeakScanner, type TokenProxy } from 'nestjs-keycloak-s2s/testing';
import request from 'supertest';
import { endService, spawnService as spawn, untilReady, type BuiltService } from '../support/built-service.js';
import { chainOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { startEmbeddedServer } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { issuer, keycloakUrl, realmOf, SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import type { Variables } from '../support/running-service.js';

const running: BuiltService[] = [];
let scanner: TokenLeakScanner;
let proxy: TokenProxy;

beforeAll(async () => {
  scanner = TokenLeakScanner.start();
  proxy = await scanner.proxyTo(keycloakUrl());
});
afterAll(async () => {
  scanner.stop();
  await proxy.stop();
});

function spawnService(name: string, variables: Variables): BuiltService {
  const service = spawn(name, variables);
  running.push(service);
  return service;
}

const keycloakVariables = () => ({
  KEYCLOAK_BASE_URL: proxy.baseUrl,
  KEYCLOAK_REALM: testServer().realm,
  KEYCLOAK_ISSUER: issuer(),
});

async function start(name: string, variables: Variables): Promise<{ url: string; service: BuiltService }> {
  const port = await freePort();
  const service = spawnService(name, { ...keycloakVariables(), ...variables, PORT: String(port) });
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url, service);
  return { url, service };
}

afterEach(async () => {
  for (const service of running.splice(0)) {
    await endService(service);
    scanner.inspect(`what process ${service.process.pid} printed`, service.printed(), { isPrinted: true });
  }
  scanner.assertNone();
});

/** Jest's time limit ends the wait for a service that goes on accepting connections. */
async function untilRefused(url: string): Promise<void> {
  const codeOf = (error: { cause?: { code?: string } }): string | undefined => error.cause?.code;
  const ask = (): Promise<unknown> => fetch(`${url}/health/ready`).then(({ body }) => body?.cancel(), codeOf);
  while ((await ask()) !== 'ECONNREFUSED') await new Promise((resolve) => setTimeout(resolve, 10));
}

let taken: Server | undefined;
afterAll(() => void taken?.close());

describe('the built services', () => {
  it('run the chain, and exit with 0 after SIGTERM', async () => {
    const c = await start('service-c', { SERVICE_C_CLIENT_SECRET: SECRETS['service-c'] });
    const b = await start('service-b', { SERVICE_B_CLIENT_SECRET: SECRETS['service-b'], SERVICE_C_URL: c.url });
    const a = await start('service-a', { SERVICE_A_CLIENT_SECRET: SECRETS['service-a'], SERVICE_B_URL: b.url });
    const { text } = await request(a.url).get('/run-service-b').expect(200);
    expect(text).toBe(
      '{"service_b":"Order 9876 processed by Service B","service_c":{"result":20,"msg":"Service C successfully processed request"}}',
    );
    await request(a.url)
      .get('/')
      .expect(200)
      .expect(/Call Service B/);
    await request(a.url).get('/styles.css').expect(200).expect('Content-Type', /css/);

    const { access_token } = (await (
      await fetch(`${issuer()}/protocol/openid-connect/token`, {
        method: 'POST',
        headers: { Authorization: `Basic ${Buffer.from(`service-a:${SECRETS['service-a']}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'orders.approve' }),
      })
    ).json()) as { access_token: string };
    const { body } = await request(b.url)
      .post('/api/process')
      .set('Authorization', `Bearer ${access_token}`)
      .send({ order_id: '9876', amount: 1500, role: 'admin' })
      .expect(400);
    expect(body).toMatchObject({ code: 'invalid_body', error: expect.stringMatching(/order_id.*|role/) });

    const underWay = fetch(`${a.url}/run-service-b`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    a.service.process.kill('SIGTERM');
    expect((await underWay).status).toBe(200);
    expect(await a.service.exited).toBe(0);
    b.service.process.kill('SIGTERM');
    expect(await b.service.exited).toBe(0);
    expect(scanner.knownCount).toBeGreaterThanOrEqual(2);
  });

  it('answer 421 to an unknown Host header in demo mode, which prevents DNS rebinding (BF-06)', async () => {
    const nowhere = { SERVICE_B_URL: 'http://127.0.0.1:9', SERVICE_C_URL: 'http://127.0.0.1:9' };
    for (const letter of ['a', 'b', 'c']) {
      const secret = { [`SERVICE_${letter.toUpperCase()}_CLIENT_SECRET`]: `${letter}-secret` };
      const { url, service } = await start(`service-${letter}`, { ...nowhere, ...secret });
      const { port } = new URL(url);
      const led = { Host: `rebound.evil.example:${port}`, Origin: `http://rebound.evil.example:${port}` };
      for (const path of ['/', '/run-service-b', '/health/live', '/demo/tokens']) {
        const { body } = await request(url).get(path).set(led).expect(421);
        expect(body).toMatchObject({ code: 'host_not_known' });
      }
      await request(url).post('/attacks/no-token').set(led).set('Sec-Fetch-Site', 'same-origin').expect(421);
      await request(url).get('/health/live').set('Host', `service-${letter}:3000`).expect(200);
      service.process.kill('SIGTERM');
      expect(await service.exited).toBe(0);
    }
  });

  it('answer all running requests after SIGTERM, and then exit with 0', async () => {
    const server = await startEmbeddedServer();
    try {
      const { atA, atB, atC } = await chainOf(server, 'alice');
      const { baseUrl, issuer: ownIssuer } = server;
      const ofServer = { KEYCLOAK_BASE_URL: baseUrl, KEYCLOAK_ISSUER: ownIssuer, KEYCLOAK_REALM: realmOf(ownIssuer) };
      const nowhere = { SERVICE_B_URL: 'http://127.0.0.1:9', SERVICE_C_URL: 'http://127.0.0.1:9' };
      for (const [letter, token] of Object.entries({ a: atA, b: atB, c: atC })) {
        const secret = { [`SERVICE_${letter.toUpperCase()}_CLIENT_SECRET`]: `${letter}-secret` };
        const { url, service } = await start(`service-${letter}`, { ...ofServer, ...nowhere, ...secret });
        server.control.fault('introspection', { kind: 'delay', milliseconds: 1000 });
        const headers = { Authorization: `Bearer ${token}` };
        const before = server.control.calls.introspection;
        const underWay = Array.from({ length: 50 }, async () => (await fetch(`${url}/api/whoami`, { headers })).status);
        while (server.control.calls.introspection === before) await new Promise((resolve) => setTimeout(resolve, 5));
        // Answers to later connections show that the service has read the other 49 requests.
        for (let looks = 0; looks < 3; looks += 1) expect((await fetch(`${url}/health/live`)).status).toBe(200);
        await new Promise((resolve) => setTimeout(resolve, 300));
        service.process.kill('SIGTERM');
        await untilRefused(url);
        expect(new Set(await Promise.all(underWay))).toEqual(new Set([200]));
        expect(await service.exited).toBe(0);
        server.control.fault('introspection', undefined);
      }
    } finally {
      await server.stop();
    }
  });

  it('exit with 0 after SIGTERM despite an idle connection or an incomplete request', async () => {
    const { url, service } = await start('service-c', { SERVICE_C_CLIENT_SECRET: SECRETS['service-c'] });
    const head =
      'POST /api/compute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n';
    const sockets: Socket[] = [];
    for (const sent of ['', head, `${head}\r\n{"value":`, 'GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n']) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
      sockets.push(socket);
      await once(socket, 'connect');
      socket.write(sent);
      // Only a client that reads can notice that the server closes the connection.
      socket.resume();
    }
    await fetch(`${url}/health/live`);
    service.process.kill('SIGTERM');
    expect(await service.exited).toBe(0);
    for (const socket of sockets) socket.destroy();
  });

  it('answer requests during SHUTDOWN_DELAY_SECONDS although they are not ready', async () => {
    const variables = { SERVICE_C_CLIENT_SECRET: SECRETS['service-c'], SHUTDOWN_DELAY_SECONDS: '300' };
    const { url, service } = await start('service-c', variables);
    service.process.kill('SIGTERM');
    while ((await fetch(`${url}/health/ready`)).status === 200) await new Promise(setImmediate);
    expect((await fetch(`${url}/health/ready`)).status).toBe(503);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/api/whoami`)).status).toBe(401);
    service.process.kill('SIGTERM');
    expect(await service.exited).toBe(143);
  });

  it('report all invalid settings in one message, and exit with 1', async () => {
    const service = spawnService('service-a', {
      NODE_ENV: 'production',
      KEYCLOAK_BASE_URL: 'http://keycloak:8080',
      SERVICE_A_CLIENT_SECRET: 'a-secret',
      SERVICE_B_URL: '',
    });
    expect(await service.exited).toBe(1);
    for (const fault of ['KEYCLOAK_REALM', 'SERVICE_B_URL', 'DEMO_MODE', 'https:']) {
      expect(service.printed()).toContain(fault);
    }
    expect(service.printed()).not.toContain('a-secret');
    expect(service.printed()).not.toContain('    at ');
  });

  it('do not start in production with a demo secret or in demo mode', async () => {
    const common = { ...keycloakVariables(), NODE_ENV: 'production', KEYCLOAK_ALLOW_INSECURE_REQUESTS: 'true' };
    const demoSecret = spawnService('service-c', {
      ...common,
      DEMO_MODE: 'false',
      SERVICE_C_CLIENT_SECRET: 'c-secret',
    });
    const demoMode = spawnService('service-c', { ...common, DEMO_MODE: 'true', SERVICE_C_CLIENT_SECRET: 'of-my-own' });
    expect(await demoSecret.exited).toBe(1);
    expect(await demoMode.exited).toBe(1);
    expect(demoSecret.printed()).toContain('SERVICE_C_CLIENT_SECRET is a published demo secret');
    expect(demoMode.printed()).toContain('DEMO_MODE=true is for demonstrations only');
  });

  it('name the port in the error message if the port is in use', async () => {
    taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const service = spawnService('service-c', {
      ...keycloakVariables(),
      SERVICE_C_CLIENT_SECRET: 'c-secret',
      PORT: String(port),
    });
    expect(await service.exited).toBe(1);
    expect(service.printed()).toContain(`Port ${port} is in use`);
  });
});
