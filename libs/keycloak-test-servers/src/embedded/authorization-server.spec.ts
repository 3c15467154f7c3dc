import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { allSecrets } from '../../spec-support/test-realm.js';
import type { Fault } from './http/fault.js';
import { fillPlaceholders } from './realm/realm-file.js';
import {
  startAuthorizationServer,
  type RunningAuthorizationServer,
  type StartAuthorizationServerOptions,
} from './start-authorization-server.js';

const REALM = fileURLToPath(new URL('../../../../keycloak/microservices-realm.json', import.meta.url));
const ENVIRONMENT = {
  ...allSecrets('x'),
  SERVICE_A_CLIENT_SECRET: 'a',
  SERVICE_B_CLIENT_SECRET: 'b',
  WAREHOUSE_CLIENT_SECRET: 'w',
};
const OPTIONS: StartAuthorizationServerOptions = { realm: REALM, environment: ENVIRONMENT };

let server: RunningAuthorizationServer;
beforeEach(async () => {
  server = await startAuthorizationServer(OPTIONS);
});
afterEach(() => server.stop());

const post = (path: string, form: Record<string, string>, client = 'service-a:a', init: RequestInit = {}) =>
  fetch(`${server.issuer}/protocol/openid-connect${path}`, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(client)}` },
    body: new URLSearchParams(form),
    ...init,
  });

const membersOf = async (response: Promise<Response>): Promise<Record<string, unknown>> =>
  (await (await response).json()) as Record<string, unknown>;

const clientCredentials = async (): Promise<string> => {
  const members = await membersOf(post('/token', { grant_type: 'client_credentials', scope: 'orders.approve' }));
  return String(members['access_token']);
};

const login = async (username: string): Promise<Record<string, string>> => {
  const form = { grant_type: 'password', client_id: 'demo-cli', username, password: username, scope: 'orders.read' };
  return (await membersOf(post('/token', form, 'demo-cli:'))) as Record<string, string>;
};

const introspect = (token: string, init?: RequestInit) => post('/token/introspect', { token }, 'service-b:b', init);
const isActive = async (token: string, client = 'service-b:b'): Promise<unknown> =>
  (await membersOf(post('/token/introspect', { token }, client)))['active'];

describe('the last request to an endpoint', () => {
  it('is recorded unchanged, even if the server refuses the request', async () => {
    expect(server.control.lastRequest('introspection')).toBeUndefined();
    await introspect('one');
    server.control.fault('introspection', { kind: 'status', status: 503 });
    await post('/token/introspect?a=b', { token: 'two' }, 'service-b:b');
    const { form, ...request } = server.control.lastRequest('introspection') ?? {};
    expect(request).toEqual({
      method: 'POST',
      url: '/realms/microservices/protocol/openid-connect/token/introspect?a=b',
      authorization: `Basic ${btoa('service-b:b')}`,
    });
    expect([...(form ?? [])]).toEqual([['token', 'two']]);
    expect(server.control.lastRequest('token')).toBeUndefined();
  });
});

describe('startAuthorizationServer', () => {
  it('returns the address, issuer, realm, version and administrator', () => {
    expect(server).toMatchObject({
      baseUrl: expect.stringMatching(/^http:\/\/localhost:\d+$/),
      issuer: `${server.baseUrl}/realms/microservices`,
      realm: 'microservices',
      version: '26.7.5',
      kind: 'embedded',
      adminUsername: 'admin',
      adminPassword: 'admin',
    });
  });

  it('passes the host name to the function in the option environment', async () => {
    const lines: string[] = [];
    const other = await startAuthorizationServer({
      ...OPTIONS,
      environment: (thisMachine) => ({ ...ENVIRONMENT, SERVICE_B_CLIENT_SECRET: `secret of ${thisMachine}` }),
      onProgress: (line) => lines.push(line),
    });
    const asked = await fetch(`${other.issuer}/protocol/openid-connect/token/introspect`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa('service-b:secret of localhost')}` },
      body: new URLSearchParams({ token: 'any' }),
    });
    expect(await asked.json()).toEqual({ active: false });
    expect(lines).toEqual([expect.stringContaining(other.baseUrl)]);
    await other.stop();
  });

  it('rejects if the signal aborts', async () => {
    const reason = new Error('no longer wanted');
    await expect(startAuthorizationServer({ ...OPTIONS, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const abort = new AbortController();
    const started = startAuthorizationServer({ ...OPTIONS, signal: abort.signal });
    abort.abort(reason);
    await expect(started).rejects.toBe(reason);
  });

  it.each([undefined, '', 'production', 'Production', 'prod', 'staging'])(
    'refuses to start if NODE_ENV is %j, which counts as production',
    async (nodeEnv) => {
      const before = process.env['NODE_ENV'];
      if (nodeEnv === undefined) delete process.env['NODE_ENV'];
      else process.env['NODE_ENV'] = nodeEnv;
      try {
        await expect(startAuthorizationServer(OPTIONS)).rejects.toThrow(/NODE_ENV is .*startAuthorizationServer\(\)/);
      } finally {
        process.env['NODE_ENV'] = before;
      }
    },
  );

  it('starts concurrent servers with different ports, keys and sessions', async () => {
    const other = await startAuthorizationServer(OPTIONS);
    const mine = await clientCredentials();
    const asked = await fetch(`${other.issuer}/protocol/openid-connect/token/introspect`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa('service-b:b')}` },
      body: new URLSearchParams({ token: mine }),
    });
    expect(await asked.json()).toEqual({ active: false });
    expect(await isActive(mine)).toBe(true);
    expect(other.control.calls).toMatchObject({ introspection: 1, token: { client_credentials: 0 } });
    await other.stop();
  });

  it('listens on the given port, and fails if the port is taken', async () => {
    const port = Number(new URL(server.baseUrl).port);
    await expect(startAuthorizationServer({ ...OPTIONS, port })).rejects.toThrow('EADDRINUSE');
    await server.stop();
    const again = await startAuthorizationServer({ ...OPTIONS, port });
    expect(again.baseUrl).toBe(server.baseUrl);
    await again.stop();
  });

  it('listens on loopback only', async () => {
    const port = Number(new URL(server.baseUrl).port);
    const outside = Object.values(networkInterfaces())
      .flat()
      .filter((address) => address?.internal === false && address.family === 'IPv4');
    const errors = outside.map((address) => connectionError(address?.address ?? '', port));
    expect(await connectionError('127.0.0.1', port)).toBeUndefined();
    expect(await Promise.all(errors)).toEqual(outside.map(() => 'ECONNREFUSED'));
  });

  it('throws an error that names the missing values of the realm file', async () => {
    await expect(startAuthorizationServer({ realm: REALM })).rejects.toThrow(
      /needs values .*SERVICE_A_CLIENT_SECRET, /,
    );
  });

  it('stops immediately despite an unanswered request, and can be stopped twice', async () => {
    server.control.fault('all', { kind: 'hang' });
    const hanging = introspect('x').then(
      () => 'answered',
      () => 'closed',
    );
    await waitFor(() => server.control.calls.introspection === 1);
    await server.stop();
    await server.stop();
    expect(await hanging).toBe('closed');
    await expect(introspect('x')).rejects.toThrow('fetch failed');
  });

  it('replaces each placeholder by its value or its default', () => {
    const environment = { A: '1' };
    expect(fillPlaceholders('${A}/${A:2}/${B:http://x}/${B:}/${emailScopeConsentText}', environment)).toBe(
      '1/1/http://x//${emailScopeConsentText}',
    );
  });
});

describe('control.calls', () => {
  it('counts calls by endpoint, grant and client', async () => {
    const token = await clientCredentials();
    await isActive(token);
    await isActive(token);
    await login('alice');
    await post('/token', { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' }, 'service-b:b');
    await post('/token', { grant_type: 'zzz' });
    await post('/revoke', { token });
    await fetch(`${server.issuer}/.well-known/openid-configuration`);
    await fetch(`${server.issuer}/protocol/openid-connect/certs`);

    const { calls } = server.control;
    expect(calls).toMatchObject({ discovery: 1, jwks: 1, introspection: 2, revocation: 1, logout: 0 });
    expect(calls.token).toEqual({
      authorization_code: 0,
      client_credentials: 1,
      password: 1,
      refresh_token: 0,
      token_exchange: 1,
      other: 1,
    });
    expect(calls.of('service-b')).toMatchObject({ introspection: 2, token: { token_exchange: 1, password: 0 } });
    expect(calls.of('demo-cli').token.password).toBe(1);
    expect(calls.of('service-c')).toMatchObject({ introspection: 0, token: { client_credentials: 0 } });
  });

  it('counts refused calls and calls with an injected fault', async () => {
    server.control.fault('introspection', { kind: 'status', status: 503 });
    await introspect('x');
    await post('/token', { grant_type: 'client_credentials' }, 'service-a:wrong');
    const { calls } = server.control;
    expect([calls.introspection, calls.token.client_credentials]).toEqual([1, 1]);
    expect(calls.of('service-a').token.client_credentials).toBe(1);
    calls.reset();
    expect([calls.introspection, calls.token.client_credentials]).toEqual([0, 0]);
    expect(calls.of('service-a').token.client_credentials).toBe(0);
    await introspect('x');
    expect(calls.introspection).toBe(1);
  });
});

describe('control.clock', () => {
  it('lets a token expire', async () => {
    const token = await clientCredentials();
    server.control.clock.advance(298);
    expect(await isActive(token)).toBe(true);
    server.control.clock.advance(3);
    expect(await isActive(token)).toBe(false);
  });

  it('lets an unused session expire, and issues no token that outlives the session', async () => {
    const { clock } = server.control;
    const refresh = (token = ''): Promise<Record<string, unknown>> =>
      membersOf(post('/token', { grant_type: 'refresh_token', refresh_token: token }, 'demo-cli:'));
    const { refresh_token } = await login('alice');
    clock.advance(1700);
    const second = await refresh(refresh_token);
    clock.advance(1700);
    expect(await refresh(String(second['refresh_token']))).toMatchObject({ expires_in: 300 });
    clock.advance(1801);
    expect(await refresh(refresh_token)).toMatchObject({
      error: 'invalid_grant',
      error_description: 'Session not active',
    });

    let last: Record<string, unknown> = await login('alice');
    for (let hours = 0; hours < 23; hours += 1) {
      clock.advance(1560);
      last = await refresh(String(last['refresh_token']));
    }
    expect(last).toMatchObject({ expires_in: expect.any(Number), refresh_expires_in: expect.any(Number) });
    expect(Number(last['expires_in'])).toBeLessThanOrEqual(120);
    expect(Number(last['refresh_expires_in'])).toBeLessThanOrEqual(120);
  });

  it('returns the current time, and does not accept a negative number of seconds', () => {
    const before = server.control.clock.now();
    server.control.clock.advance(60);
    expect(server.control.clock.now() - before).toBeGreaterThanOrEqual(60);
    expect(() => server.control.clock.advance(-1)).toThrow(RangeError);
    expect(() => server.control.clock.advance(0.5)).toThrow(RangeError);
    expect(() => server.control.clock.setAhead(0.5)).toThrow(RangeError);
  });

  it('can be set back to a time at which an expired token was still valid', async () => {
    const token = await clientCredentials();
    server.control.clock.advance(400);
    expect(await isActive(token)).toBe(false);
    server.control.clock.setAhead(-10);
    expect(await isActive(token)).toBe(true);
    expect(server.control.clock.now()).toBeLessThan(Date.now() / 1000 - 9);
  });
});

describe('control.fault', () => {
  const PAGE: unknown = expect.stringMatching(/^<!doctype html>/);
  const RIGHT = { status: 200, type: 'application/json', body: '{"active":false}' };
  const seen = async (response: Response) => ({
    status: response.status,
    type: response.headers.get('content-type'),
    body: await response.text(),
  });
  const causeOf = (error: unknown): unknown => (error as { cause?: { code?: unknown } }).cause?.code;

  it('makes the server send no answer until the caller closes the connection', async () => {
    server.control.fault('introspection', { kind: 'hang' });
    await expect(introspect('x', { signal: AbortSignal.timeout(100) })).rejects.toThrow('timeout');
  });

  it('makes the server reset the connection', async () => {
    server.control.fault('introspection', { kind: 'reset' });
    expect(causeOf(await introspect('x').catch((error: unknown) => error))).toBe('ECONNRESET');
  });

  it.each([500, 502, 503, 429] as const)('makes the server answer %i, with or without Retry-After', async (status) => {
    server.control.fault('introspection', { kind: 'status', status });
    const plain = await introspect('x');
    expect([plain.status, plain.headers.get('retry-after')]).toEqual([status, null]);
    server.control.fault('introspection', { kind: 'status', status, retryAfter: 7 });
    expect((await introspect('x')).headers.get('retry-after')).toBe('7');
  });

  it('makes the server delay the answer', async () => {
    server.control.fault('introspection', { kind: 'delay', milliseconds: 150 });
    const began = performance.now();
    expect(await seen(await introspect('x'))).toEqual(RIGHT);
    expect(performance.now() - began).toBeGreaterThan(140);
  });

  it('makes the server send the headers immediately and the body slowly', async () => {
    server.control.fault('introspection', { kind: 'slow-bytes', everyMs: 10 });
    const began = performance.now();
    const response = await introspect('x');
    const headersAfter = performance.now() - began;
    expect(await seen(response)).toEqual(RIGHT);
    expect(performance.now() - began - headersAfter).toBeGreaterThan(16 * 9);
  });

  it('makes the server send fewer bytes than Content-Length says', async () => {
    server.control.fault('introspection', { kind: 'truncated' });
    const response = await introspect('x');
    expect(response.headers.get('content-length')).toBe('16');
    await expect(response.text()).rejects.toThrow('terminated');
  });

  it.each<{ fault: Fault; answer: Record<string, unknown> }>([
    { fault: { kind: 'html' }, answer: { type: 'text/html; charset=utf-8', body: PAGE } },
    { fault: { kind: 'empty' }, answer: { body: '' } },
    { fault: { kind: 'wrong-content-type' }, answer: { type: 'text/plain' } },
    { fault: { kind: 'duplicate-keys' }, answer: { body: '{"active":true,"active":false}' } },
  ])('makes the server answer 200 with the fault $fault.kind', async ({ fault, answer }) => {
    server.control.fault('introspection', fault);
    expect(await seen(await introspect('x'))).toEqual({ ...RIGHT, ...answer });
  });

  it('makes the server send a given answer', async () => {
    server.control.fault('introspection', { kind: 'answer', body: { active: 'true' } });
    expect(await seen(await introspect('x'))).toEqual({ ...RIGHT, body: '{"active":"true"}' });
    const headers = { 'Content-Type': 'text/plain', 'Retry-After': '7' };
    server.control.fault('introspection', { kind: 'answer', status: 418, headers, body: '{not json' });
    const response = await introspect('x');
    expect([response.status, response.headers.get('retry-after'), response.headers.get('content-type')]).toEqual([
      418,
      '7',
      'text/plain',
    ]);
    expect(await response.text()).toBe('{not json');
  });

  it('makes the server send every member twice, with the correct value last', async () => {
    const token = await clientCredentials();
    const right = await membersOf(introspect(token));
    server.control.fault('introspection', { kind: 'duplicate-keys' });
    const { body } = await seen(await introspect(token));
    expect(JSON.parse(body)).toEqual(right);
    expect(body.match(/"aud":"[^"]+"/g)).toEqual(['"aud":"not-service-b"', '"aud":"service-b"']);
  });

  it('makes the server add claims in __proto__ and constructor', async () => {
    server.control.fault('introspection', { kind: 'proto' });
    const { body } = await seen(await introspect('x'));
    expect(body).toContain('"__proto__":{"polluted":true,"active":true');
    const members = JSON.parse(body) as object;
    expect(Object.keys(members)).toEqual(['__proto__', 'constructor', 'active']);
    expect(Object.assign({}, members)).not.toHaveProperty('active', true);
  });

  it.each([true, false])(
    'makes the server encode the answer in ISO-8859-1 (declared in the content type: %j)',
    async (declared) => {
      server.control.fault('introspection', { kind: 'wrong-charset', declared });
      const response = await introspect('x');
      expect(response.headers.get('content-type')?.includes('charset=ISO-8859-1')).toBe(declared);
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes)).toThrow('not valid');
      expect(bytes.toString('latin1')).toBe('{"umlaut":"ü","active":false}');
    },
  );

  it('makes the server nest arrays to 100,000 levels or the given number', async () => {
    server.control.fault('introspection', { kind: 'deep' });
    expect((await seen(await introspect('x'))).body).toHaveLength(2 * 100_000 + '{"deep":,"active":false}'.length);
    server.control.fault('introspection', { kind: 'deep', levels: 3 });
    expect(await membersOf(introspect('x'))).toEqual({ deep: [[[]]], active: false });
  });

  it('makes the server override, add and remove members', async () => {
    server.control.fault('discovery', { kind: 'members', members: { issuer: 'other', more: 1, jwks_uri: undefined } });
    const members = await membersOf(fetch(`${server.issuer}/.well-known/openid-configuration`));
    expect(members).toMatchObject({ issuer: 'other', more: 1, token_endpoint: expect.stringContaining(server.issuer) });
    expect(members).not.toHaveProperty('jwks_uri');
  });

  it('makes the server stream 50 MB or the given size', async () => {
    server.control.fault('token', { kind: 'huge' });
    const response = await post('/token', { grant_type: 'client_credentials' });
    expect(response.headers.get('content-length')).toBeNull();
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(50 * 1024 * 1024);
    server.control.fault('token', { kind: 'huge', megabytes: 1 });
    expect(Object.keys(await membersOf(post('/token', {})))).toEqual(['active', 'padding']);
  });

  it('makes the server send data until the caller closes the connection', async () => {
    server.control.fault('token', { kind: 'huge', megabytes: 100_000 });
    const response = await post('/token', {});
    await response.body?.cancel();
    await server.stop();
    expect(server.control.calls.token.other).toBe(1);
  });

  it('makes the server send a gzip bomb even to a client that does not accept gzip', async () => {
    server.control.fault('jwks', { kind: 'gzip-bomb', megabytes: 20 });
    const url = `${server.issuer}/protocol/openid-connect/certs`;
    const response = await fetch(url, { headers: { 'Accept-Encoding': 'identity' } });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(20 * 1024 * 1024);
  });

  it('injects the fault until the given number of calls or until the test removes the fault', async () => {
    server.control.fault('introspection', { kind: 'status', status: 503, times: 2 });
    const statuses = [await introspect('x'), await introspect('x'), await introspect('x')].map(({ status }) => status);
    expect(statuses).toEqual([503, 503, 200]);
    server.control.fault('introspection', { kind: 'status', status: 503 });
    server.control.fault('introspection', undefined);
    expect((await introspect('x')).status).toBe(200);
  });

  it('prefers a fault for one endpoint to a fault for all endpoints', async () => {
    server.control.fault('introspection', { kind: 'status', status: 503, times: 1 });
    expect((await fetch(`${server.issuer}/.well-known/openid-configuration`)).status).toBe(200);
    server.control.fault('all', { kind: 'status', status: 500 });
    expect((await introspect('x')).status).toBe(503);
    expect((await introspect('x')).status).toBe(500);
    expect((await fetch(`${server.issuer}/.well-known/openid-configuration`)).status).toBe(500);
    expect((await fetch(`${server.issuer}/protocol/openid-connect/certs`)).status).toBe(500);
  });

  it('lets the endpoint process the request unless the fault replaces the answer', async () => {
    const [one, two] = [await clientCredentials(), await clientCredentials()];
    server.control.fault('revocation', { kind: 'status', status: 503 });
    await post('/revoke', { token: one });
    server.control.fault('revocation', { kind: 'wrong-content-type' });
    await post('/revoke', { token: two });
    expect([await isActive(one), await isActive(two)]).toEqual([true, false]);
  });
});

describe('server.control in the role of an administrator', () => {
  it('rotates the signing key, while the old key stays published and old tokens stay valid', async () => {
    const kidOf = (token: string): unknown =>
      JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    const kids = async (): Promise<unknown> =>
      (await membersOf(fetch(`${server.issuer}/protocol/openid-connect/certs`)))['keys'];
    const before = await clientCredentials();
    await server.control.rotateSigningKeys();
    const after = await clientCredentials();
    expect(kidOf(after)).not.toEqual(kidOf(before));
    await expect(kids()).resolves.toEqual([
      expect.objectContaining({ kid: (kidOf(after) as { kid: string }).kid }),
      expect.objectContaining({ kid: (kidOf(before) as { kid: string }).kid }),
    ]);
    await expect(Promise.all([isActive(before), isActive(after)])).resolves.toEqual([true, true]);
  });

  it('revokes one token', async () => {
    const [one, two] = [await clientCredentials(), await clientCredentials()];
    server.control.revokeToken(one);
    expect([await isActive(one), await isActive(two)]).toEqual([false, true]);
  });

  it('ends sessions', async () => {
    const [one, two] = [await login('alice'), await login('alice')];
    const bob = await login('bob');
    server.control.endSession(one['session_state'] ?? '');
    const states = () =>
      Promise.all([one, two, bob].map(({ access_token = '' }) => isActive(access_token, 'service-a:a')));
    expect(await states()).toEqual([false, true, true]);
    server.control.endSessionsOf('alice');
    expect(await states()).toEqual([false, false, true]);
  });

  it('disables and enables users and clients', async () => {
    const { access_token = '' } = await login('alice');
    const { control } = server;
    const state = () => isActive(access_token, 'service-a:a');
    control.disableUser('alice');
    expect(await state()).toBe(false);
    control.enableUser('alice');
    expect(await state()).toBe(true);
    control.disableClient('demo-cli');
    expect(await state()).toBe(false);
    control.enableClient('demo-cli');
    expect(await state()).toBe(true);
  });

  it('adds users and clients, and changes roles', async () => {
    const { control } = server;
    const credentials = [{ type: 'password', value: 'carol' }];
    control.addUser({ username: 'carol', enabled: true, credentials, realmRoles: ['order-viewer'] });
    expect(await login('carol')).toMatchObject({ scope: expect.stringContaining('orders.read') });
    control.setRealmRoles('carol', []);
    expect(await login('carol')).not.toMatchObject({ scope: expect.stringContaining('orders.read') });
    control.addClient({ clientId: 'late', secret: 's', serviceAccountsEnabled: true });
    expect((await post('/token', { grant_type: 'client_credentials' }, 'late:s')).status).toBe(200);
  });

  it('throws for an unknown user or client', () => {
    expect(() => server.control.disableUser('nobody')).toThrow('The realm microservices has no user nobody');
    expect(() => server.control.disableClient('nothing')).toThrow('The realm microservices has no client nothing');
  });
});

function connectionError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
}

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a boolean placeholder of the realm file', () => {
  const isOpen = async (environment: Record<string, string>): Promise<[login: number, events: unknown]> => {
    const other = await startAuthorizationServer({ realm: REALM, environment: { ...ENVIRONMENT, ...environment } });
    try {
      const answer = await fetch(`${other.issuer}/protocol/openid-connect/token`, {
        method: 'POST',
        headers: { Authorization: `Basic ${btoa('signal-poller:x')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
      const { access_token } = (await answer.json()) as { readonly access_token?: string };
      const events = await fetch(`${other.issuer.replace('/realms/', '/admin/realms/')}/events`, {
        headers: { Authorization: `Bearer ${access_token}` },
      });
      return [answer.status, events.ok ? ((await events.json()) as unknown[]).length : events.status];
    } finally {
      await other.stop();
    }
  };

  it("may have the value 'true' or 'false' as a string, as in Keycloak", async () => {
    expect(await isOpen({})).toEqual([401, 401]);
    expect(await isOpen({ SIGNALS_EVENTS: 'false' })).toEqual([401, 401]);
    expect(await isOpen({ SIGNALS_EVENTS: 'true' })).toEqual([200, 1]);
  });
});
