import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { allSecrets, CLIENT_SECRET, loginTo, REALM_FILE } from '../../../spec-support/test-realm.js';
import { startAuthorizationServer, type RunningAuthorizationServer } from '../start-authorization-server.js';

const EVENTS_ON = {
  eventsEnabled: true,
  enabledEventTypes: [],
  adminEventsEnabled: true,
  adminEventsDetailsEnabled: true,
};

let folder: string;
let server: RunningAuthorizationServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'events-'));
  const realm = JSON.parse(await readFile(REALM_FILE, 'utf8')) as object;
  const path = join(folder, 'realm.json');
  await writeFile(path, JSON.stringify({ ...realm, ...EVENTS_ON, eventsExpiration: 600 }));
  server = await startAuthorizationServer({ realm: path, environment: allSecrets(CLIENT_SECRET) });
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

const post = async (url: string, form: Record<string, string>): Promise<Record<string, string>> =>
  (await (await fetch(url, { method: 'POST', body: new URLSearchParams(form) })).json()) as Record<string, string>;

async function send(method: string, path: string, body?: object): Promise<string> {
  const { adminUsername: username, adminPassword: password } = server;
  const { access_token } = await post(`${server.baseUrl}/realms/master/protocol/openid-connect/token`, {
    grant_type: 'password',
    client_id: 'admin-cli',
    username,
    password,
  });
  const response = await fetch(`${server.baseUrl}/admin/realms/microservices${path}`, {
    method,
    headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.text();
}

interface SeenEvent {
  readonly id: string;
  readonly time: number;
  readonly type: string;
  readonly resourcePath?: string;
}

const read = async (path: string): Promise<SeenEvent[]> => JSON.parse(await send('GET', path)) as SeenEvent[];

it('records events from the start if the realm file enables events', async () => {
  await loginTo(server, 'alice');
  await send('PUT', '', { accessTokenLifespan: 300 });
  expect(await read('/events')).toMatchObject([{ type: 'LOGIN' }]);
  expect(await read('/admin-events')).toMatchObject([{ representation: '{"accessTokenLifespan":300}' }]);
});

it("uses the server's clock, and deletes expired user events", async () => {
  await loginTo(server, 'alice');
  server.control.clock.advance(500);
  await loginTo(server, 'alice');
  const [later, earlier] = await read('/events');
  expect(Math.round(((later?.time ?? 0) - (earlier?.time ?? 0)) / 100_000)).toBe(5);
  server.control.clock.advance(200);
  expect(await read('/events')).toEqual([later]);
});

it('gives each event a new id', async () => {
  for (let logins = 0; logins < 3; logins += 1) await loginTo(server, 'alice');
  const ids = (await read('/events')).map(({ id }) => id);
  expect(new Set(ids).size).toBe(3);
});

it('records no event for an action of the test control', async () => {
  server.control.disableUser('alice');
  await server.control.logOutUser('bob');
  expect([await read('/events'), await read('/admin-events')]).toEqual([[], []]);
});

it('records no tokens, passwords or secrets', async () => {
  const tokens = await post(`${server.issuer}/protocol/openid-connect/token`, {
    grant_type: 'password',
    client_id: 'demo-cli',
    username: 'alice',
    password: 'alice-wrong-password',
  });
  expect(tokens['error']).toBe('invalid_grant');
  const accessToken = await loginTo(server, 'alice');
  await post(`${server.issuer}/protocol/openid-connect/revoke`, { client_id: 'demo-cli', token: 'junk' });
  const credentials = [{ type: 'password', value: 'a-new-password' }];
  await send('POST', '/users', { username: 'carol', credentials });
  await send('POST', '/clients', { clientId: 'shop', secret: 'a-client-secret' });
  const [client] = JSON.parse(await send('GET', '/clients?clientId=shop')) as { id: string }[];
  const { value } = JSON.parse(await send('POST', `/clients/${client?.id}/client-secret`)) as { value: string };
  const logs = (await send('GET', '/events')) + (await send('GET', '/admin-events'));
  const secrets = ['alice-wrong-password', accessToken, 'a-new-password', 'a-client-secret', value, CLIENT_SECRET];
  expect(secrets.filter((secret) => logs.includes(secret))).toEqual([]);
  expect(await read('/admin-events')).toHaveLength(3);
});
