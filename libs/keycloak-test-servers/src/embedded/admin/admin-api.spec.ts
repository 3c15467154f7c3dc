import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { loginTo, startTestRealm } from '../../../spec-support/test-realm.js';
import type { RunningAuthorizationServer } from '../start-authorization-server.js';

let server: RunningAuthorizationServer;
beforeEach(async () => {
  server = await startTestRealm();
});
afterEach(() => server.stop());

const login = async (): Promise<string> => {
  const { adminUsername: username, adminPassword: password } = server;
  const response = await fetch(`${server.baseUrl}/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', username, password }),
  });
  return ((await response.json()) as { readonly access_token: string }).access_token;
};

const send = async (method: string, path: string, body?: object): Promise<{ status: number; json: unknown }> => {
  const response = await fetch(`${server.baseUrl}/admin/realms/microservices${path}`, {
    method,
    headers: { authorization: `Bearer ${await login()}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
};

it('neither counts calls to the admin API nor injects faults into these calls', async () => {
  server.control.fault('all', { kind: 'status', status: 503 });
  expect(await send('GET', '')).toMatchObject({ status: 200, json: { realm: 'microservices' } });
  expect(server.control.calls.token.password).toBe(0);
});

it.each([
  ['GET', '/groups'],
  ['PUT', '/users/some-id/execute-actions-email'],
  ['GET', '/users?search=ali'],
  ['GET', '/clients?max=1'],
])('answers 501 to the unsupported %s %s', async (method, path) => {
  expect(await send(method, path)).toEqual({
    status: 501,
    json: { error: expect.stringMatching(/^The embedded server does not have .* use a real Keycloak$/) },
  });
});

it('refuses a realm update with an unsupported setting, and names the setting', async () => {
  expect(await send('PUT', '', { accessTokenLifespan: 7, registrationAllowed: true })).toEqual({
    status: 501,
    json: { error: expect.stringContaining('registrationAllowed') },
  });
  expect(await send('GET', '')).toMatchObject({ json: { accessTokenLifespan: 300 } });
});

it('accepts a number or a boolean as a JSON string, and refuses other strings', async () => {
  expect(await send('PUT', '', { accessTokenLifespan: '7', revokeRefreshToken: 'true' })).toMatchObject({
    status: 204,
  });
  expect(await send('GET', '')).toMatchObject({ json: { accessTokenLifespan: 7, revokeRefreshToken: true } });
  expect(await send('PUT', '', { accessTokenLifespan: 'long' })).toEqual({
    status: 400,
    json: { error: 'The realm setting accessTokenLifespan is not a number: long' },
  });
  expect(await send('GET', '')).toMatchObject({ json: { accessTokenLifespan: 7 } });
});

it('accepts a realm representation that the server has returned', async () => {
  const { json } = await send('GET', '');
  expect(await send('PUT', '', { ...(json as object), accessTokenLifespan: 7 })).toMatchObject({ status: 204 });
  const { exp = 0, iat = 0 } = decodeJwt(await loginTo(server, 'alice'));
  expect(exp - iat).toBe(7);
});

it('does not rename clients', async () => {
  const { json } = await send('GET', '/clients?clientId=warehouse');
  const [{ id }] = json as [{ readonly id: string }];
  expect(await send('PUT', `/clients/${id}`, { clientId: 'another' })).toMatchObject({ status: 501 });
});

it('refuses an expired token', async () => {
  const token = await login();
  const ask = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${server.baseUrl}/admin/realms/microservices`, { headers })).status;
  };
  expect(await ask()).toBe(200);
  server.control.clock.advance(61);
  expect(await ask()).toBe(401);
});
