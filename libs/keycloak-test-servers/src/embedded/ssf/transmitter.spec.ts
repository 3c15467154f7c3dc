import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { allSecrets, CLIENT_SECRET, REALM_FILE } from '../../../spec-support/test-realm.js';
import { startAuthorizationServer, type RunningAuthorizationServer } from '../start-authorization-server.js';
import { SESSION_REVOKED } from '../state/security-event-types.js';

const RECEIVER = {
  clientId: 'receiver',
  secret: CLIENT_SECRET,
  serviceAccountsEnabled: true,
  defaultClientScopes: ['basic'],
  optionalClientScopes: ['ssf.read', 'ssf.manage'],
  attributes: {
    'ssf.enabled': 'true',
    'ssf.defaultSubjects': 'ALL',
    'ssf.stream.id': 'revocations',
    'ssf.stream.status': 'enabled',
    'ssf.stream.aud': 'receiver',
    'ssf.stream.delivery.method': 'urn:ietf:rfc:8936',
    'ssf.stream.delivery.endpointUrl': 'poll',
  },
};

let folder: string;
let path: string;
let server: RunningAuthorizationServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'transmitter-'));
  path = join(folder, 'realm.json');
  const realm = JSON.parse(await readFile(REALM_FILE, 'utf8')) as { attributes: object; clients: object[] };
  const attributes = { ...realm.attributes, 'ssf.transmitterEnabled': 'true' };
  await writeFile(path, JSON.stringify({ ...realm, attributes, clients: [...realm.clients, RECEIVER] }));
  server = await start(['ssf']);
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

const start = (features?: readonly string[]): Promise<RunningAuthorizationServer> =>
  startAuthorizationServer({ realm: path, environment: allSecrets(CLIENT_SECRET), ...(features && { features }) });

async function token(clientId = 'receiver'): Promise<string> {
  const credentials = Buffer.from(`${clientId}:${encodeURIComponent(CLIENT_SECRET)}`).toString('base64');
  const response = await fetch(`${server.issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'ssf.read ssf.manage' }),
  });
  return ((await response.json()) as { readonly access_token: string }).access_token;
}

async function post(to: string, body: object): Promise<Response> {
  const headers = { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' };
  return fetch(`${server.issuer}/ssf/transmitter${to}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

const POLL = '/receivers/receiver/streams/revocations/poll';

async function poll(body: object = {}): Promise<string[]> {
  const { sets } = (await (await post(POLL, body)).json()) as { readonly sets: Record<string, string> };
  return Object.values(sets);
}

const metadataStatus = async ({ issuer }: RunningAuthorizationServer): Promise<number> =>
  (await fetch(`${issuer}/.well-known/ssf-configuration`)).status;

const LOGOUT = { type: SESSION_REVOKED, payload: {}, subject: { format: 'opaque', id: 'x' } };

it('starts no transmitter without the feature ssf, even if the realm file has a transmitter', async () => {
  const without = await start();
  try {
    expect([without.features, await metadataStatus(without)]).toEqual([[], 404]);
    expect([server.features, await metadataStatus(server)]).toEqual([['ssf'], 200]);
  } finally {
    await without.stop();
  }
});

it('rejects every feature except ssf', async () => {
  await expect(start(['ssf', 'dpop'])).rejects.toThrow('The embedded server does not have the feature "dpop"');
});

it('adds the scopes that the realm file lacks', async () => {
  expect(decodeJwt(await token())).toMatchObject({ scope: 'ssf.read ssf.manage' });
  expect((await post(POLL, {})).status).toBe(200);
});

it("limits verifications to one per minute of the server's clock", async () => {
  const verify = async (): Promise<number> => (await post('/verify', {})).status;
  expect([await verify(), await verify()]).toEqual([204, 429]);
  server.control.clock.advance(60);
  expect([await verify(), (await poll()).length]).toEqual([204, 2]);
});

it('signs each event with the key that is newest when the event occurs', async () => {
  server.control.sendSecurityEvent('receiver', LOGOUT);
  await server.control.rotateSigningKeys();
  server.control.sendSecurityEvent('receiver', LOGOUT);
  const sets = await poll();
  const kids = sets.map((jws) => decodeProtectedHeader(jws).kid);
  expect(new Set(kids).size).toBe(2);
  const keys = createRemoteJWKSet(new URL(`${server.issuer}/protocol/openid-connect/certs`));
  for (const jws of sets) await expect(jwtVerify(jws, keys, { typ: 'secevent+jwt' })).resolves.toBeDefined();
});

it('can send a forged event, and accepts the acknowledgement of this event', async () => {
  const jti = server.control.sendSecurityEvent('receiver', LOGOUT, {
    claims: { iss: 'https://elsewhere.example', aud: undefined, jti: 'another' },
    headerTyp: 'JWT',
    signedBy: 'none',
  });
  const [jws = ''] = await poll();
  expect(decodeProtectedHeader(jws)).toEqual({ alg: 'none', typ: 'JWT' });
  expect(decodeJwt(jws)).toMatchObject({ iss: 'https://elsewhere.example', jti: 'another' });
  expect(decodeJwt(jws)).not.toHaveProperty('aud');
  expect(await poll({ ack: [jti] })).toEqual([]);
});

it('throws for an event to a client that has no stream', () => {
  expect(() => server.control.sendSecurityEvent('service-a', LOGOUT)).toThrow('The client service-a has no stream');
});

it('sends no event if a test logs out or disables a user with server.control', async () => {
  await server.control.logOutUser('alice');
  server.control.disableUser('alice');
  expect(await poll()).toEqual([]);
});

it('counts calls to the transmitter, and answers with injected faults', async () => {
  server.control.fault('poll', { kind: 'status', status: 503, times: 1 });
  expect([(await post(POLL, {})).status, (await post(POLL, {})).status]).toEqual([503, 200]);
  await post('/verify', {});
  await metadataStatus(server);
  expect(server.control.calls).toMatchObject({ poll: 2, verification: 1, ssfMetadata: 1, streams: 0, streamStatus: 0 });
});

it('refuses a receiver that lacks the required role', async () => {
  server.control.addClient({
    ...RECEIVER,
    clientId: 'guarded',
    attributes: { 'ssf.enabled': 'true', 'ssf.requiredRole': 'no-such' },
  });
  const headers = { authorization: `Bearer ${await token('guarded')}` };
  expect((await fetch(`${server.issuer}/ssf/transmitter/streams`, { headers })).status).toBe(401);
});
