import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import { allSecrets, REALM_FILE, startTestRealm } from '../../../spec-support/test-realm.js';
import { startAuthorizationServer, type RunningAuthorizationServer } from '../start-authorization-server.js';

const CALLBACK = 'http://localhost:3999/callback';
const VERIFIER = 'v'.repeat(43);
const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} };

let server: RunningAuthorizationServer;
let client: Server;
let onNotification: (logoutToken: string) => Promise<void>;

beforeEach(async () => {
  server = await startTestRealm();
  onNotification = () => Promise.resolve();
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    await onNotification(new URLSearchParams(await text(request)).get('logout_token') ?? '');
    response.end();
  };
  client = createServer((request, response) => void receive(request, response));
  client.listen(0, '127.0.0.1');
  await once(client, 'listening');
  server.control.addClient(web());
});
afterEach(async () => {
  await server.stop();
  client.close();
  client.closeAllConnections();
});

const web = () => ({
  clientId: 'web',
  publicClient: true,
  redirectUris: [CALLBACK],
  fullScopeAllowed: false,
  defaultClientScopes: ['acr', 'basic', 'roles', 'profile', 'email'],
  optionalClientScopes: ['orders.read'],
  attributes: {
    'pkce.code.challenge.method': 'S256',
    'backchannel.logout.url': `http://127.0.0.1:${(client.address() as AddressInfo).port}/`,
    'backchannel.logout.session.required': 'true',
  },
});

const AUTHORIZATION = new URLSearchParams({
  client_id: 'web',
  response_type: 'code',
  redirect_uri: CALLBACK,
  scope: 'openid orders.read',
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
});

const endpoint = (name: string): string => `${server.issuer}/protocol/openid-connect/${name}`;
const cookieOf = (response: Response): string => response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
const codeIn = (response: Response): string =>
  new URL(response.headers.get('location') ?? '').searchParams.get('code') ?? '';

const authorize = (cookie = '', more: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${endpoint('auth')}?${new URLSearchParams([...AUTHORIZATION, ...Object.entries(more)])}`, {
    headers: { cookie },
    redirect: 'manual',
  });

async function logIn(username = 'alice'): Promise<{ readonly code: string; readonly cookie: string }> {
  const form = await authorize();
  const action = /action="([^"]*)"/.exec(await form.text())?.[1]?.replaceAll('&amp;', '&') ?? '';
  const response = await fetch(action, {
    method: 'POST',
    headers: { cookie: cookieOf(form) },
    body: new URLSearchParams({ username, password: username }),
    redirect: 'manual',
  });
  return { code: codeIn(response), cookie: cookieOf(response) };
}

async function post(name: string, form: Record<string, string>): Promise<Record<string, unknown>> {
  const response = await fetch(endpoint(name), { method: 'POST', body: new URLSearchParams(form) });
  return (await response.json()) as Record<string, unknown>;
}

const redeem = (code: string) =>
  post('token', {
    grant_type: 'authorization_code',
    client_id: 'web',
    redirect_uri: CALLBACK,
    code_verifier: VERIFIER,
    code,
  });

const refresh = ({ refresh_token }: Record<string, unknown>) =>
  post('token', { grant_type: 'refresh_token', client_id: 'web', refresh_token: String(refresh_token) });

describe('the login page', () => {
  it('has no script, but a language, a title and labelled fields', async () => {
    const response = await authorize();
    const page = await response.text();
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(response.headers.get('cache-control')).toContain('no-store');
    expect(page).not.toMatch(/<script|style=| on[a-z]+=/);
    const sheets = [...page.matchAll(/<style>([^]*?)<\/style>/g)].map(([, sheet = '']) => sheet);
    expect(sheets).toHaveLength(1);
    const hash = createHash('sha256').update(sheets.join('')).digest('base64');
    expect(response.headers.get('content-security-policy')).toContain(`style-src 'sha256-${hash}'`);
    expect(page).toMatch(/<html lang="en">[^]*<title>Sign in to microservices<\/title>[^]*<main>\s*<h1>/);
    expect(page).toMatch(/<label for="username">[^]*id="username"[^]*<label for="password">[^]*id="password"/);
  });

  it('shows the error as an alert, and escapes the input', async () => {
    const form = await authorize();
    const action = /action="([^"]*)"/.exec(await form.text())?.[1]?.replaceAll('&amp;', '&') ?? '';
    const body = new URLSearchParams({ username: '"><script>', password: 'x' });
    const page = await fetch(action, { method: 'POST', headers: { cookie: cookieOf(form) }, body });
    const shown = await page.text();
    expect(shown).toContain('<p id="input-error" role="alert">Invalid username or password.</p>');
    expect(shown).toContain('value="&quot;&gt;&lt;script&gt;"');
  });

  it('sets a cookie that cannot be derived from the sid of a token', async () => {
    const { code, cookie } = await logIn();
    const { sid } = decodeJwt(String((await redeem(code))['access_token']));
    const [name, value = ''] = cookie.split('=');
    expect([name, value.split('.')[0]]).toEqual(['KEYCLOAK_IDENTITY', sid]);
    expect((await authorize(`KEYCLOAK_IDENTITY=${String(sid)}`)).status).toBe(200);
    expect((await authorize(`KEYCLOAK_IDENTITY=${String(sid)}.x`)).status).toBe(200);
    expect((await authorize(cookie)).status).toBe(302);
  });
});

describe('the passing of time', () => {
  it('makes a code invalid after a minute', async () => {
    const { code } = await logIn();
    server.control.clock.advance(61);
    expect(await redeem(code)).toMatchObject({ error: 'invalid_grant', error_description: 'Code not valid' });
  });

  it("does not make a client's revoked tokens valid again after another login in the session", async () => {
    const { code, cookie } = await logIn();
    const before = await redeem(code);
    await redeem(code);
    server.control.clock.advance(2);
    const after = await redeem(codeIn(await authorize(cookie)));
    expect(await refresh(before)).toMatchObject({
      error_description: 'refresh token issued before the client session started',
    });
    expect(await refresh(after)).toMatchObject({ token_type: 'Bearer' });
  });
});

describe('levels of authentication', () => {
  const isHeld = async (cookie: string, acr?: string): Promise<boolean> =>
    (await authorize(cookie, acr === undefined ? {} : { acr_values: acr })).status === 302;
  const acrOf = async (code: string): Promise<unknown> => decodeJwt(String((await redeem(code))['id_token']))['acr'];

  async function stepUp(cookie: string): Promise<string> {
    const form = await authorize(cookie, { acr_values: '2' });
    const action = /action="([^"]*)"/.exec(await form.text())?.[1]?.replaceAll('&amp;', '&') ?? '';
    const response = await fetch(action, {
      method: 'POST',
      headers: { cookie: `${cookie}; ${cookieOf(form)}` },
      body: new URLSearchParams({ password: 'alice' }),
      redirect: 'manual',
    });
    return codeIn(response);
  }

  it('expire as the realm file says: level 2 after five minutes, level 1 with the session', async () => {
    const { cookie } = await logIn();
    expect(await isHeld(cookie, '2')).toBe(false);
    expect(await acrOf(await stepUp(cookie))).toBe('2');
    server.control.clock.advance(297);
    expect(await isHeld(cookie, '2')).toBe(true);
    expect(await acrOf(codeIn(await authorize(cookie)))).toBe('2');
    server.control.clock.advance(4);
    expect(await isHeld(cookie, '2')).toBe(false);
    expect(await isHeld(cookie, '1')).toBe(true);
    expect(await acrOf(codeIn(await authorize(cookie)))).toBe('1');
  });

  it('require a new login in a realm without a browser flow, since single sign-on gives level 0', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'realm-'));
    const realm = JSON.parse(await readFile(REALM_FILE, 'utf8')) as Record<string, unknown>;
    const path = join(folder, 'realm.json');
    await writeFile(path, JSON.stringify({ ...realm, browserFlow: undefined, attributes: undefined }));
    const former = server;
    server = await startAuthorizationServer({ realm: path, environment: allSecrets('x') });
    server.control.addClient(web());
    const { cookie, code } = await logIn();
    expect(await acrOf(code)).toBe('1');
    expect(await acrOf(codeIn(await authorize(cookie)))).toBe('0');
    for (const acr of ['1', '2', 'gold']) expect(await isHeld(cookie, acr)).toBe(false);
    await former.stop();
    await rm(folder, { recursive: true });
  });
});

describe('a realm with bruteForceProtected', () => {
  const CAROL = { username: 'carol', enabled: true, credentials: [{ type: 'password', value: 'carol' }] };
  const CLIENTS = [{ clientId: 'web', publicClient: true, directAccessGrantsEnabled: true }];
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'realm-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const start = async (settings: object): Promise<void> => {
    const path = join(directory, 'realm.json');
    const realm = { realm: 'guarded', bruteForceProtected: true, users: [CAROL], clients: CLIENTS, ...settings };
    await writeFile(path, JSON.stringify(realm));
    await server.stop();
    server = await startAuthorizationServer({ realm: path });
  };
  const tryWith = async (given: string): Promise<boolean> =>
    'access_token' in
    (await post('token', { grant_type: 'password', client_id: 'web', username: 'carol', password: given }));
  const guess = async (times: number): Promise<void> => {
    for (let guesses = 0; guesses < times; guesses += 1) expect(await tryWith('wrong')).toBe(false);
  };

  it('makes a user wait increasingly long after too many failed logins, up to a maximum', async () => {
    const wait = { failureFactor: 3, waitIncrementSeconds: 60, maxFailureWaitSeconds: 100 };
    await start({ ...wait, quickLoginCheckMilliSeconds: 0 });
    await guess(3);
    expect(await tryWith('carol')).toBe(false);
    server.control.clock.advance(50);
    await guess(9);
    for (let guesses = 0; guesses < 3; guesses += 1) {
      server.control.clock.advance(61);
      await guess(1);
    }
    server.control.clock.advance(90);
    expect(await tryWith('carol')).toBe(false);
    server.control.clock.advance(11);
    expect(await tryWith('carol')).toBe(true);
    await guess(2);
    expect(await tryWith('carol')).toBe(true);
  });

  it('forgets a failed login after maxDeltaTimeSeconds', async () => {
    await start({ failureFactor: 2, maxDeltaTimeSeconds: 1000, quickLoginCheckMilliSeconds: 0 });
    await guess(1);
    server.control.clock.advance(1001);
    await guess(1);
    expect(await tryWith('carol')).toBe(true);
  });

  it('makes a user wait after two failed logins in quick succession', async () => {
    await start({ quickLoginCheckMilliSeconds: 100_000, minimumQuickLoginWaitSeconds: 500 });
    await guess(1);
    server.control.clock.advance(1);
    await guess(1);
    expect(await tryWith('carol')).toBe(false);
    server.control.clock.advance(501);
    expect(await tryWith('carol')).toBe(true);
  });

  it('makes users wait at the login form of the demo realm', async () => {
    const wrong = { grant_type: 'password', client_id: 'demo-cli', username: 'alice', password: 'wrong' };
    for (let guesses = 0; guesses < 10; guesses += 1) await post('token', wrong);
    await expect(logIn('alice')).rejects.toThrow('Invalid URL');
    expect((await logIn('bob')).code).not.toBe('');
  });
});

describe('a realm with revokeRefreshToken', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'realm-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("accepts a refresh token once, and invalidates the client's tokens after a second use", async () => {
    const path = join(directory, 'realm.json');
    const users = [{ username: 'ann', enabled: true, credentials: [{ type: 'password', value: 'ann' }] }];
    const clients = [{ clientId: 'web', publicClient: true, directAccessGrantsEnabled: true }];
    await writeFile(path, JSON.stringify({ realm: 'once', revokeRefreshToken: true, users, clients }));
    await server.stop();
    server = await startAuthorizationServer({ realm: path });
    const first = await post('token', { grant_type: 'password', client_id: 'web', username: 'ann', password: 'ann' });
    const second = await refresh(first);
    const third = await refresh(second);
    expect(third).toMatchObject({ token_type: 'Bearer' });
    expect(await refresh(second)).toMatchObject({
      error: 'invalid_grant',
      error_description: 'Maximum allowed refresh token reuse exceeded',
    });
    expect(await refresh(third)).toMatchObject({ error_description: "Session doesn't have required client" });
  });
});

describe('control', () => {
  it('counts authorizations, codes and refreshes', async () => {
    const { code } = await logIn();
    await refresh(await redeem(code));
    const { calls } = server.control;
    expect(calls.of('web')).toMatchObject({ authorization: 1, token: { authorization_code: 1, refresh_token: 1 } });
    expect(calls).toMatchObject({ authorization: 1, token: { authorization_code: 1, refresh_token: 1 } });
  });

  it('ends sessions, and does not notify the client', async () => {
    const notifications: string[] = [];
    onNotification = async (logoutToken) => void notifications.push(logoutToken);
    const { code, cookie } = await logIn();
    const tokens = await redeem(code);
    server.control.endSessionsOf('alice');
    expect(await refresh(tokens)).toMatchObject({ error_description: 'Session not active' });
    expect((await authorize(cookie)).status).toBe(200);
    expect(notifications).toEqual([]);
  });

  it('logs a user out, and notifies the client while the session is still valid', async () => {
    const { code } = await logIn();
    const tokens = await redeem(code);
    const seen: unknown[] = [];
    onNotification = async (logoutToken) => {
      seen.push(decodeJwt(logoutToken)['sid'], (await refresh(tokens))['token_type']);
    };
    await server.control.logOutUser('alice');
    expect(seen).toEqual([tokens['session_state'], 'Bearer']);
    expect(await refresh(tokens)).toMatchObject({ error_description: 'Session not active' });
  });

  it('makes the authorization endpoint fail', async () => {
    server.control.fault('authorization', { kind: 'status', status: 503, times: 1 });
    expect([(await authorize()).status, (await authorize()).status]).toEqual([503, 200]);
  });
});

describe('control.logoutToken', () => {
  const ABOUT = { username: 'alice', sid: 'the-session' } as const;
  const verified = async (token: string): Promise<boolean> => {
    const keys = createLocalJWKSet((await (await fetch(endpoint('certs'))).json()) as JSONWebKeySet);
    return jwtVerify(token, keys).then(
      () => true,
      () => false,
    );
  };

  it('returns a valid token', async () => {
    const token = await server.control.logoutToken('web', ABOUT);
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'RS256', typ: 'logout+jwt' });
    expect(decodeJwt(token)).toMatchObject({ iss: server.issuer, aud: 'web', sid: 'the-session', events: EVENTS });
    expect(await verified(token)).toBe(true);
  });

  it('returns a token whose claims and header are overridden', async () => {
    const claims = { nonce: 'x', events: undefined, aud: ['web', 'other'] };
    const token = await server.control.logoutToken('web', ABOUT, { claims, headerTyp: 'JWT' });
    expect(decodeProtectedHeader(token).typ).toBe('JWT');
    expect(decodeJwt(token)).toMatchObject({ nonce: 'x', aud: ['web', 'other'] });
    expect(decodeJwt(token)).not.toHaveProperty('events');
    expect(await verified(token)).toBe(true);
  });

  it('returns an unsigned token, or a token with the correct kid and a wrong signature', async () => {
    const good = await server.control.logoutToken('web', ABOUT);
    const forged = await server.control.logoutToken('web', ABOUT, { signedBy: 'otherKey' });
    const unsigned = await server.control.logoutToken('web', ABOUT, { signedBy: 'none' });
    expect(decodeProtectedHeader(forged)).toEqual(decodeProtectedHeader(good));
    expect(decodeProtectedHeader(unsigned).alg).toBe('none');
    expect([await verified(forged), await verified(unsigned)]).toEqual([false, false]);
  });
});
