import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { testServer } from 'keycloak-test-servers';
import { proofKeyPair } from '../../libs/keycloak/spec-support/proof-keys.js';
import { SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { clientCredentials, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { RunningService, type Route } from '../support/running-service.js';
import { RunningServices, WITHOUT_DEMO_MODE } from '../support/running-services.js';
import { ServiceOutput } from '../support/service-output.js';
import { moduleOf } from '../support/services.js';

/** Add each new public route of a service to this list. */
const OPEN = new Set([
  '/',
  '/run-service-b',
  '/styles.css',
  '/page.js',
  '/favicon.svg',
  '/health/live',
  '/health/ready',
]);

/** These routes accept no token. Each number is the status for a request without credentials. */
const LOGIN = {
  'GET /auth/callback': 400,
  'GET /auth/login': 303,
  'POST /auth/backchannel-logout': 400,
  'POST /auth/logout': 403,
} as const;
/** In demo mode, these routes need no token for requests from pages of Service A. */
const ATTACKS = {
  'POST /attacks': 403,
  'POST /attacks/:id': 403,
  'POST /matrix': 403,
  'POST /matrix/again': 403,
} as const;
const REFUND = { 'POST /refund': 403 } as const;
const FOR_BROWSERS = { ...LOGIN, ...ATTACKS, ...REFUND };
const PATHS_FOR_BROWSERS = new Set(Object.keys({ ...LOGIN, ...ATTACKS }).map((route) => route.split(' ')[1]));

const ROUTES = {
  a: [
    'GET /',
    'GET /api/orders/:id',
    'GET /api/orders/:id/receipt',
    'GET /api/whoami',
    'GET /auth/callback',
    'GET /auth/login',
    'GET /favicon.svg',
    'GET /health/details',
    'GET /health/live',
    'GET /health/ready',
    'GET /page.js',
    'GET /refund',
    'GET /run-service-b',
    'GET /styles.css',
    'POST /auth/backchannel-logout',
    'POST /auth/logout',
    'POST /refund',
  ],
  b: [
    'GET /api/receipts/:id',
    'GET /api/whoami',
    'GET /health/details',
    'GET /health/live',
    'GET /health/ready',
    'POST /api/inventory/adjust',
    'POST /api/process',
    'POST /api/refunds',
  ],
  c: ['GET /api/whoami', 'GET /health/details', 'GET /health/live', 'GET /health/ready', 'POST /api/compute'],
} as const;

const POLLER_ROUTES = ['GET /api/whoami', 'GET /health/details', 'GET /health/live', 'GET /health/ready'];

const DEMO_ROUTES = {
  a: [...Object.keys(ATTACKS), 'GET /watch'],
  b: [
    'GET /demo/tokens',
    'POST /api/attacks/:id',
    'POST /api/attacks/sealed-token',
    'POST /api/attacks/sealed-token/shown',
    'POST /api/attacks/token-row',
    'POST /api/attacks/token-row/again',
  ],
  c: ['GET /demo/tokens', 'POST /api/attacks/exchange-by-c'],
} as const;

const named = (routes: readonly Route[]): string[] =>
  routes
    .filter(({ method }) => method !== 'HEAD' && method !== 'OPTIONS')
    .map(({ method, url }) => `${method} ${url}`)
    .toSorted();

let chain: RunningServices;
let undemonstrated: RunningServices;

beforeAll(async () => {
  chain = await RunningServices.start();
  undemonstrated = await RunningServices.start({ variables: WITHOUT_DEMO_MODE });
});

afterAll(async () => {
  await undemonstrated.stop();
  await chain.stop();
});

/** Sends a request with an unchanged path; other HTTP clients would normalize the path. */
function raw(
  service: RunningService,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<number> {
  const { hostname, port } = new URL(service.url);
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ hostname, port, method, path, headers, agent: false });
    sent.on('error', reject);
    sent.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.end();
  });
}

describe('every route (RS-20)', () => {
  it.each(['a', 'b', 'c'] as const)('is in the list of expected routes of Service %s', (name) => {
    expect(named(chain[name].routes)).toEqual([...ROUTES[name], ...DEMO_ROUTES[name]].toSorted());
  });

  it.each(['a', 'b', 'c'] as const)('exists at Service %s outside of demo mode, except the demo routes', (name) => {
    expect(named(undemonstrated[name].routes)).toEqual(ROUTES[name]);
  });

  it.each(['a', 'b', 'c'] as const)(
    'refuses at Service %s a request without a token, unless the route is public or for browsers',
    async (name) => {
      const closed = chain[name].routes.filter(
        ({ method, url }) =>
          !OPEN.has(url) && !PATHS_FOR_BROWSERS.has(url) && !Object.hasOwn(REFUND, `${method} ${url}`),
      );
      expect(closed.length).toBeGreaterThan(0);
      const { calls } = await chain.keycloak.during(async () => {
        for (const { method, url } of closed) {
          expect([method, url, await raw(chain[name], method, url.replace(':id', '9876'))]).toEqual([method, url, 401]);
        }
      });
      expect(calls).toEqual([]);
    },
  );

  it.each([...OPEN])('answers a request without a token if the route is public: %s', async (path) => {
    expect(await raw(chain.a, 'GET', path)).toBe(200);
  });

  it.each(Object.entries(FOR_BROWSERS))(
    'refuses or redirects a request without credentials if the route is for browsers: %s',
    async (route, status) => {
      const [method = '', path = ''] = route.split(' ');
      expect(await raw(chain.a, method, path)).toBe(status);
    },
  );

  it('requires a token if the route runs the chain and demo mode is off', async () => {
    const closed = undemonstrated.a;
    await request(closed.url).get('/run-service-b').expect(401, { error: 'Missing token', code: 'missing_token' });
    await request(closed.url)
      .get('/run-service-b')
      .set('Accept', 'text/html')
      .expect(401)
      .expect('WWW-Authenticate', 'Bearer realm="service-a"')
      .expect(/acts as itself only in demo mode/);
  });
});

describe('every route of the poller (RS-20)', () => {
  it('is in the list of expected routes, and requires a token if it is not public', async () => {
    const { baseUrl, issuer, realm } = testServer();
    const output = ServiceOutput.acquire();
    const variables = {
      DEMO_MODE: 'true',
      KEYCLOAK_REALM: realm,
      KEYCLOAK_BASE_URL: baseUrl,
      KEYCLOAK_ISSUER: issuer,
      SIGNAL_POLLER_CLIENT_SECRET: SECRETS['signal-poller'],
      SHARED_STATE_URL: 'valkey://127.0.0.1:9',
      SHARED_DENIAL_KEYS: randomBytes(32).toString('base64'),
      SIGNAL_PROOF_PRIVATE_KEY: proofKeyPair().privateKey,
    };
    const anywhere = { port: 0, host: '127.0.0.1' };
    const poller = await RunningService.start(await moduleOf('signal-poller'), variables, anywhere, output.scanner);
    try {
      expect(named(poller.routes)).toEqual(POLLER_ROUTES);
      for (const { method, url } of poller.routes.filter(({ url: path }) => !OPEN.has(path))) {
        expect([method, url, await raw(poller, method, url)]).toEqual([method, url, 401]);
      }
    } finally {
      await poller.app.close();
      output.release();
    }
  });
});

describe('the guard (RS-21)', () => {
  const paths = (path: string): string[] => [
    path.toUpperCase(),
    `/${path}`,
    `${path}/`,
    `${path}//`,
    `/.${path}`,
    `/x/..${path}`,
    path.replace('/api/', '/api//'),
    path.replace('/api/', '/%61pi/'),
    path.replace('/api/', '/api%2f'),
    path.replace('/api/', '/api/%2e/'),
    `${path};x=y`,
    `${path}%00`,
    `${path}%20`,
    `${path}?x=/health/live`,
    `${path}#/health/live`,
    `/health/live/..${path}`,
    `/health/live%2f..${path}`,
  ];
  const headers: Record<string, string>[] = [
    {},
    { 'X-HTTP-Method-Override': 'GET' },
    { 'X-Method-Override': 'OPTIONS' },
    { 'X-Original-URL': '/health/live' },
    { 'X-Rewrite-URL': '/health/live' },
    { 'X-Forwarded-Host': 'localhost', 'X-Forwarded-For': '127.0.0.1', 'X-Forwarded-Proto': 'https' },
    { 'X-Forwarded-User': 'alice', 'X-Forwarded-Access-Token': 'x' },
    { Host: 'service-b' },
    { Forwarded: 'for=127.0.0.1;host=localhost;proto=https' },
  ];
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

  const expectRefused = async (
    service: RunningService,
    method: string,
    path: string,
    sent: Record<string, string> = {},
  ): Promise<void> => {
    const status = await raw(service, method, path, sent);
    if (![400, 401, 404, 405].includes(status)) throw new Error(`${method} ${path} ${JSON.stringify(sent)}: ${status}`);
  };

  it.each([
    ['a', '/api/orders/9876'],
    ['a', '/api/whoami'],
    ['b', '/api/process'],
    ['b', '/api/inventory/adjust'],
    ['c', '/api/compute'],
    ['c', '/api/whoami'],
  ] as const)(
    'cannot be bypassed at Service %s by any method, header or spelling of the path %s',
    async (name, path) => {
      for (const method of methods) {
        for (const variant of paths(path)) await expectRefused(chain[name], method, variant);
        for (const sent of headers) await expectRefused(chain[name], method, path, sent);
      }
    },
  );

  it('refuses a token in a cookie or in a header other than Authorization', async () => {
    const access_token = textOf(await clientCredentials(testServer(), 'service-a', 'orders.approve'));
    for (const sent of [
      { Cookie: `access_token=${access_token}` },
      { 'X-Authorization': `Bearer ${access_token}` },
      { 'Proxy-Authorization': `Bearer ${access_token}` },
      { 'X-Forwarded-Authorization': `Bearer ${access_token}` },
    ]) {
      await expectRefused(chain.b, 'POST', '/api/process', sent as unknown as Record<string, string>);
    }
  });

  it('accepts the scheme Bearer in upper and lower case, and refuses other schemes (RS-03)', async () => {
    const access_token = textOf(await clientCredentials(testServer(), 'service-a', 'orders.approve'));
    expect(await raw(chain.b, 'GET', '/api/whoami', { Authorization: `bEARER ${access_token}` })).toBe(200);
    expect(await raw(chain.b, 'GET', '/api/whoami', { Authorization: `Token ${access_token}` })).toBe(401);
  });
});
