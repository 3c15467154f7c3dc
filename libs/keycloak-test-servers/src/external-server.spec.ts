import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startAuthorizationServer } from './embedded/start-authorization-server.js';
import { freePort } from './free-port.js';
import { startTestServer } from './start-test-server.js';
import { allSecrets, REALM_FILE } from '../spec-support/test-realm.js';

const OPTIONS = { realm: REALM_FILE };

describe('a server that was already running', () => {
  let other: Server | undefined;
  afterEach(() => {
    other?.closeAllConnections();
    other?.close();
    other = undefined;
  });

  const listen = async (listener: RequestListener): Promise<`http://${string}`> => {
    const server = createServer(listener);
    other = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://localhost:${(server.address() as AddressInfo).port}`;
  };

  it('provides the issuer of the realm in the file, and keeps running after stop()', async () => {
    const url = await listen(({ url: path }, response) => response.end(JSON.stringify({ issuer: `of ${path}` })));
    const server = await startTestServer(OPTIONS, `${url}/`);
    expect(server).toMatchObject({
      baseUrl: url,
      realm: 'microservices',
      issuer: 'of /realms/microservices/.well-known/openid-configuration',
      kind: 'external',
    });
    await server.stop();
    expect((await fetch(url)).ok).toBe(true);
  });

  it('provides another realm if the URL names another realm', async () => {
    const url = await listen(({ url: path }, response) => response.end(JSON.stringify({ issuer: path })));
    expect(await startTestServer(OPTIONS, `${url}/auth/realms/the%20shop/`)).toMatchObject({
      baseUrl: `${url}/auth`,
      realm: 'the shop',
      issuer: '/auth/realms/the%20shop/.well-known/openid-configuration',
    });
  });

  it('counts as embedded if the Server header contains the name of the embedded server', async () => {
    const running = await startAuthorizationServer({ ...OPTIONS, environment: allSecrets('x') });
    try {
      const found = await startTestServer(OPTIONS, running.baseUrl as `http://${string}`);
      expect(found).toMatchObject({ kind: 'embedded', issuer: running.issuer });
    } finally {
      await running.stop();
    }
  });

  it("takes the administrator's credentials from Keycloak's environment variables", async () => {
    const url = await listen((_, response) => response.end('{"issuer":"x"}'));
    expect(await startTestServer(OPTIONS, url)).toMatchObject({ adminUsername: 'admin', adminPassword: 'admin' });
    process.env['KC_BOOTSTRAP_ADMIN_USERNAME'] = 'root';
    try {
      expect(await startTestServer(OPTIONS, url)).toMatchObject({ adminUsername: 'root', adminPassword: 'admin' });
    } finally {
      delete process.env['KC_BOOTSTRAP_ADMIN_USERNAME'];
    }
  });

  it.each([
    ['it answered 404', 404, '{}'],
    ['its answer names no issuer', 200, '{}'],
    ['not valid JSON', 200, '<html>'],
  ])('is refused if %s', async (reason, status, body) => {
    const url = await listen((_, response) => response.writeHead(status).end(body));
    await expect(startTestServer(OPTIONS, url)).rejects.toThrow(
      new RegExp(`No Keycloak with the realm microservices: ${url}/realms/microservices/\\S+ \\(.*${reason}`),
    );
  });

  it('is refused if the server is unreachable', async () => {
    await expect(startTestServer(OPTIONS, `http://localhost:${await freePort()}`)).rejects.toThrow(
      /No Keycloak .*ECONNREFUSED/,
    );
  });
});
