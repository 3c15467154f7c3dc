import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuthorizationServerStatus } from 'nestjs-keycloak-s2s';
import { DependencyChecks } from './dependency-checks.js';

let server: Server;
let probes: string[];
let status: number;
let nowMs: number;
let asked: number;
let keycloak: AuthorizationServerStatus;
beforeEach(async () => {
  [probes, status, nowMs, asked, keycloak] = [[], 200, 0, 0, { reachable: true }];
  server = createServer(({ method, url, headers }, response) => {
    probes.push(`${method} ${url} ${headers.authorization ?? 'without a token'}`);
    response.writeHead(status, { location: '/elsewhere' }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

const checks = (): DependencyChecks =>
  new DependencyChecks(
    {
      check: async () => {
        asked += 1;
        return keycloak;
      },
    },
    { 'service-b': `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    {},
    () => nowMs,
  );

describe('DependencyChecks', () => {
  it('sends one probe without a token in five seconds for all callers (OP-06)', async () => {
    const dependencies = checks();
    const up = { keycloak: { isUp: true }, 'service-b': { isUp: true } };
    for (const state of await Promise.all(Array.from({ length: 50 }, () => dependencies.read()))) {
      expect(state).toEqual({ states: up, checkedSecondsAgo: 0 });
    }
    nowMs = 4999;
    expect(await dependencies.read()).toEqual({ states: up, checkedSecondsAgo: 5 });
    expect([asked, probes]).toEqual([1, ['GET /health/ready without a token']]);
  });

  it('sends the next probe after five seconds', async () => {
    const dependencies = checks();
    await dependencies.read();
    status = 503;
    keycloak = { reachable: false, code: 'authorization_server_unavailable' } as AuthorizationServerStatus;
    nowMs = 5000;
    expect(await dependencies.read()).toEqual({
      states: {
        keycloak: { isUp: false, code: 'authorization_server_unavailable' },
        'service-b': { isUp: false, code: 'not_ready' },
      },
      checkedSecondsAgo: 0,
    });
    expect([asked, probes.length]).toEqual([2, 2]);
  });

  it('does not follow redirects', async () => {
    status = 302;
    expect((await checks().read()).states['service-b']).toEqual({ isUp: false, code: 'not_ready' });
    expect(probes).toHaveLength(1);
  });

  it('reports the code of the network error if a service does not listen', async () => {
    const dependencies = checks();
    server.close();
    await once(server, 'close');
    expect((await dependencies.read()).states['service-b']).toEqual({ isUp: false, code: 'ECONNREFUSED' });
  });

  it('reports a service as down if the service does not answer in time', async () => {
    server.removeAllListeners('request').on('request', () => undefined);
    expect((await checks().read()).states['service-b']).toMatchObject({ isUp: false });
  });

  it('reports services as down if the CA file for these services was never readable', async () => {
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const dependencies = new DependencyChecks(
      { check: async () => keycloak },
      { 'service-b': url },
      { caFile: '/nowhere' },
    );
    expect((await dependencies.read()).states['service-b']).toEqual({ isUp: false, code: 'ENOENT' });
  });
});
