import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { KeycloakModule } from 'nestjs-keycloak-s2s';
import { AuthorizationServerFetch } from 'nestjs-keycloak-s2s/client-authentication';
import { ClientAuthenticator } from 'nestjs-keycloak-s2s/client-authentication';
import { settingsFrom } from '../../spec-support/settings.js';
import { OpenIdConfiguration } from './openid-configuration.js';
import { OpenIdProvider, type LoggedIn } from './openid-provider.js';
import { OpenIdTokens } from './openid-tokens.js';
import { OpenIdTransport } from './openid-transport.js';

/** The service and browsers use different addresses of Keycloak, as in a container network. */
const ISSUER = 'http://sso.invalid:8080/realms/shop';
const PATH = '/realms/shop/protocol/openid-connect';
const PENDING = { state: 's'.repeat(43), nonce: 'the-nonce', codeVerifier: 'v'.repeat(43), returnTo: '/' };
const CALLBACK = `?${new URLSearchParams({ state: PENDING.state, iss: ISSUER, code: 'the-code' })}`;

type Claims = Readonly<Record<string, unknown>>;
interface Overrides {
  readonly claims?: Claims;
  readonly signedBy?: CryptoKey | Uint8Array;
  readonly alg?: string;
  readonly kid?: string;
  readonly certs?: Raw;
  readonly answer?: (status: (code: number, body: unknown) => void) => void;
  readonly raw?: Raw;
  readonly metadata?: Claims;
}

interface Raw {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

let key: CryptoKey;
let foreignKey: CryptoKey;
let jwk: JWK;
let server: Server;
let overrides: Overrides;
let forms: URLSearchParams[];
let arrivedMs: number;
let application: TestingModule;
let provider: OpenIdProvider;

beforeAll(async () => {
  const pair = await generateKeyPair('RS256');
  key = pair.privateKey;
  foreignKey = (await generateKeyPair('RS256')).privateKey;
  jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'RS256', use: 'sig' };
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => void answer(request.url ?? '', Buffer.concat(chunks).toString(), response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => void server.close());
beforeEach(async () => {
  overrides = {};
  forms = [];
  await makeProvider();
});
afterEach(() => application.close());

const baseUrl = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function answer(url: string, body: string, response: ServerResponse): Promise<void> {
  const send = (status: number, value: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
  if (url.endsWith('/.well-known/openid-configuration')) return send(200, metadata());
  if (url === `${PATH}/certs` && overrides.certs !== undefined) return sendRaw(overrides.certs, response);
  if (url === `${PATH}/certs`) return send(200, { keys: [jwk] });
  forms.push(new URLSearchParams(body));
  arrivedMs = performance.now();
  if (overrides.answer !== undefined) return overrides.answer(send);
  if (overrides.raw !== undefined) return sendRaw(overrides.raw, response);
  const tokens = { access_token: 'the-access-token', refresh_token: 'the-refresh-token', id_token: await idToken() };
  return send(200, { ...tokens, token_type: 'Bearer', expires_in: 300 });
}

function sendRaw({ status, headers = {}, body }: Raw, response: ServerResponse): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

const metadata = (): Claims => ({
  issuer: ISSUER,
  authorization_endpoint: `http://sso.invalid:8080${PATH}/auth`,
  end_session_endpoint: `http://sso.invalid:8080${PATH}/logout`,
  token_endpoint: `${baseUrl()}${PATH}/token`,
  jwks_uri: `${baseUrl()}${PATH}/certs`,
  authorization_response_iss_parameter_supported: true,
  id_token_signing_alg_values_supported: ['RS256'],
  ...overrides.metadata,
});

async function idToken(): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const good = { iss: ISSUER, aud: 'service-a', sub: 'alice-id', iat: now, exp: now + 300, nonce: PENDING.nonce };
  const all = { ...good, sid: 's1', preferred_username: 'alice', ...overrides.claims };
  const claims = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(claims)
    .setProtectedHeader({ alg: overrides.alg ?? 'RS256', kid: overrides.kid ?? 'k' })
    .sign(overrides.signedBy ?? key);
}

async function makeProvider(): Promise<void> {
  const config = settingsFrom({
    NODE_ENV: 'test',
    DEMO_MODE: 'true',
    KEYCLOAK_BASE_URL: baseUrl(),
    KEYCLOAK_REALM: 'shop',
    KEYCLOAK_ISSUER: ISSUER,
    SERVICE_A_CLIENT_SECRET: 'the-client-secret',
  });
  application = await Test.createTestingModule({ imports: [KeycloakModule.forRoot(config.keycloak)] }).compile();
  const transport = new OpenIdTransport(
    application.get(AuthorizationServerFetch),
    application.get(ClientAuthenticator),
  );
  provider = new OpenIdProvider(
    config,
    new OpenIdConfiguration(config, transport, application.get(ClientAuthenticator)),
    transport,
  );
}

const complete = (query = CALLBACK): Promise<LoggedIn> => provider.complete(query, PENDING);

describe('OpenIdProvider', () => {
  it('redirects browsers to the issuer, but sends the requests of the service to baseUrl', async () => {
    const { url, pending } = await provider.begin({ returnTo: '/x' });
    expect(url).toContain(`http://sso.invalid:8080${PATH}/auth?`);
    expect(pending.returnTo).toBe('/x');
    await expect(complete()).resolves.toMatchObject({ subject: 'alice-id', sessionId: 's1', username: 'alice' });
    expect(forms[0]?.get('code_verifier')).toBe(PENDING.codeVerifier);
    const out = new URL(await provider.logoutUrl());
    expect(out.origin).toBe('http://sso.invalid:8080');
    expect(out.searchParams.get('post_logout_redirect_uri')).toBe('http://localhost:3000/');
    expect(out.searchParams.has('id_token_hint')).toBe(false);
  });

  it.each<[string, () => Overrides]>([
    ['of another issuer', () => ({ claims: { iss: 'https://evil.example' } })],
    ['for another client', () => ({ claims: { aud: 'service-b' } })],
    ['for several audiences, issued to another client', () => ({ claims: { aud: ['service-a', 'x'], azp: 'x' } })],
    ['that has expired', () => ({ claims: { iat: 1000, exp: 2000 } })],
    ['without exp', () => ({ claims: { exp: undefined } })],
    ['with another nonce', () => ({ claims: { nonce: 'other' } })],
    ['without nonce', () => ({ claims: { nonce: undefined } })],
    ['without sub', () => ({ claims: { sub: undefined } })],
    ['signed with another key', () => ({ signedBy: foreignKey })],
    ['signed with our secret', () => ({ signedBy: Buffer.alloc(32, 'x'), alg: 'HS256' })],
  ])('refuses an ID token %s (BF-02)', async (_, change) => {
    overrides = change();
    await expect(complete()).rejects.toMatchObject({ code: 'login_not_valid' });
  });

  it.each([
    ['another issuer', CALLBACK.replace('sso.invalid', 'evil.example')],
    ['no issuer', `?${new URLSearchParams({ state: PENDING.state, code: 'the-code' })}`],
    ['another state', CALLBACK.replace(PENDING.state, 'x')],
  ])('does not redeem a code that came with %s (BF-01, BF-02)', async (_, query) => {
    await expect(complete(query)).rejects.toMatchObject({ code: 'login_not_valid' });
    expect(forms).toEqual([]);
  });

  it('reports Keycloak as the cause if an answer has no ID token (BF-02)', async () => {
    overrides = { answer: (send) => send(200, { access_token: 'x', token_type: 'Bearer', expires_in: 300 }) };
    await expect(complete()).rejects.toMatchObject({ code: 'authorization_server_unavailable' });
  });

  it.each<[string, number, unknown, string]>([
    ['invalid_grant', 400, { error: 'invalid_grant' }, 'login_refused'],
    ['a wrong secret', 401, { error: 'unauthorized_client' }, 'authorization_server_refused'],
    ['a 500', 500, {}, 'authorization_server_unavailable'],
  ])('reports whether the user or Keycloak caused %s, and prints no secret', async (_, status, body, code) => {
    overrides = { answer: (send) => send(status, body) };
    const error: unknown = await complete().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect(inspect(error, { depth: 9 })).not.toMatch(/the-client-secret|the-code|vvvv/);
  });

  it('ends the session at Keycloak by a request from the service (BF-07, BF-09)', async () => {
    const { tokens } = await complete();
    await provider.endSession(tokens);
    expect(forms[1]?.get('id_token_hint')).toBe(tokens.reveal().idToken);
    overrides = { answer: (send) => send(400, {}) };
    await expect(provider.endSession(tokens)).rejects.toMatchObject({ reason: 'logout_answered_400' });
  });

  const refresh = () =>
    provider.refresh(
      new OpenIdTokens({ accessToken: 'a', refreshToken: 'the-old-one', idToken: 'i', askedAtMs: 0, expiresAtMs: 0 }),
      'alice-id',
    );

  it('returns new tokens for a refresh token, or "refused" after 400 invalid_grant (BF-08)', async () => {
    overrides = { claims: { nonce: undefined } };
    const refreshed = await refresh();
    expect('tokens' in refreshed && refreshed.tokens.reveal().refreshToken).toBe('the-refresh-token');
    expect(forms[0]?.get('refresh_token')).toBe('the-old-one');
    overrides = { answer: (send) => send(400, { error: 'invalid_grant' }) };
    await expect(refresh()).resolves.toEqual({ refused: true });
  });

  const HTML = { 'content-type': 'text/html' };
  const UNAVAILABLE = 'authorization_server_unavailable';
  const REFUSED = 'authorization_server_refused';

  const faults: readonly (readonly [string, Raw, code: string, reason: string])[] = [
    ['429', { status: 429, body: { error: 'slow_down' } }, UNAVAILABLE, 'answered_429_unexpected_status'],
    ['429 as a page', { status: 429, headers: HTML, body: '<p>' }, UNAVAILABLE, 'answered_429_unexpected_status'],
    ['408', { status: 408, body: {} }, UNAVAILABLE, 'answered_408_unexpected_status'],
    ['500', { status: 500, body: {} }, UNAVAILABLE, 'answered_500_unexpected_status'],
    ['503', { status: 503, body: { error: 'invalid_grant' } }, UNAVAILABLE, 'answered_503_unexpected_status'],
    [
      '302',
      { status: 302, headers: { ...HTML, location: '/login' }, body: '' },
      UNAVAILABLE,
      'answered_302_unexpected_status',
    ],
    ['204', { status: 204, headers: HTML, body: '' }, UNAVAILABLE, 'answer_not_json'],
    ['a page', { status: 200, headers: HTML, body: '<p>' }, UNAVAILABLE, 'answer_not_json'],
    [
      'tokens as a page',
      { status: 200, headers: HTML, body: { access_token: 'x', token_type: 'Bearer' } },
      UNAVAILABLE,
      'answer_not_json',
    ],
    [
      'a member twice',
      { status: 200, body: '{"access_token":"x","access_token":"y","token_type":"Bearer"}' },
      UNAVAILABLE,
      'answer_not_strict_json',
    ],
    ['half of an answer', { status: 200, body: '{"access_token":"x","tok' }, UNAVAILABLE, 'answer_not_strict_json'],
    ['a list', { status: 200, body: '[]' }, UNAVAILABLE, 'nonsense_answer'],
    ['nothing', { status: 200, body: '' }, UNAVAILABLE, 'answer_not_strict_json'],
    ['no access token', { status: 200, body: { token_type: 'Bearer' } }, UNAVAILABLE, 'nonsense_answer'],
    ['no token type', { status: 200, body: { access_token: 'x' } }, UNAVAILABLE, 'nonsense_answer'],
    ['200 invalid_grant', { status: 200, body: { error: 'invalid_grant' } }, UNAVAILABLE, 'nonsense_answer'],
    [
      'a token of another type',
      { status: 200, body: { access_token: 'x', token_type: 'mac' } },
      UNAVAILABLE,
      'nonsense_answer',
    ],
    ['404 as a page', { status: 404, headers: HTML, body: '<p>' }, REFUSED, 'answered_404_unexpected_status'],
    ['no such realm', { status: 404, body: { error: 'Realm does not exist' } }, REFUSED, 'answered_404_other'],
    ['403 as a page', { status: 403, headers: HTML, body: '<p>' }, REFUSED, 'answered_403_unexpected_status'],
    [
      '400 as a page',
      { status: 400, headers: HTML, body: '{"error":"invalid_grant"}' },
      REFUSED,
      'answered_400_unexpected_status',
    ],
    ['401 invalid_client', { status: 401, body: { error: 'invalid_client' } }, REFUSED, 'answered_401_invalid_client'],
    ['401 invalid_grant', { status: 401, body: { error: 'invalid_grant' } }, REFUSED, 'answered_401_invalid_grant'],
    [
      '401 with a challenge',
      { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' }, body: { error: 'invalid_grant' } },
      REFUSED,
      'answered_401_challenge',
    ],
    ['invalid_scope', { status: 400, body: { error: 'invalid_scope' } }, REFUSED, 'answered_400_invalid_scope'],
  ];

  it.each(faults)(
    'does not end the session if Keycloak answers a refresh with %s (BF-08, RS-14)',
    async (_, raw, code, reason) => {
      overrides = { raw };
      await expect(refresh()).rejects.toMatchObject({ code, reason });
    },
  );

  it.each(faults)(
    'reports Keycloak, not the user, as the cause if a login fails with %s (BF-02, RS-14)',
    async (_, raw, code, reason) => {
      overrides = { raw };
      await expect(complete()).rejects.toMatchObject({ code, reason });
    },
  );

  it.each<[string, () => Overrides]>([
    ['of another issuer', () => ({ claims: { iss: 'https://evil.example' } })],
    ['signed with another key', () => ({ signedBy: foreignKey })],
    ['of another user', () => ({ claims: { sub: 'bob-id' } })],
    ['of another user, with an unavailable key', () => ({ claims: { sub: 'bob-id' }, kid: 'unknown' })],
  ])('throws an error that keeps the session if a refresh returns an ID token %s (BF-08)', async (_, change) => {
    overrides = { ...change() };
    await expect(refresh()).rejects.toMatchObject({ code: UNAVAILABLE });
  });

  it('keeps the previous ID token if the key of the new ID token is unavailable (BF-08)', async () => {
    for (const certs of [undefined, { status: 503, body: {} }]) {
      overrides = { kid: 'unknown', ...(certs === undefined ? {} : { certs }) };
      const refreshed = await refresh();
      const parts = 'tokens' in refreshed ? refreshed.tokens.reveal() : undefined;
      expect(parts).toMatchObject({ idToken: 'i', refreshToken: 'the-refresh-token' });
    }
  });

  it.each<[string, () => Overrides, string]>([
    ['lacks the key of the token', () => ({ kid: 'unknown' }), 'signing_key_unknown'],
    ['is not a key set', () => ({ certs: { status: 200, body: {} } }), 'signing_keys_malformed'],
    ['is an HTML page', () => ({ certs: { status: 200, headers: HTML, body: '<p>' } }), 'signing_keys_malformed'],
    ['comes with 404', () => ({ certs: { status: 404, body: { keys: [jwk] } } }), 'answered_404_unexpected_status'],
    ['comes with 503', () => ({ certs: { status: 503, body: { keys: [jwk] } } }), 'answered_503_unexpected_status'],
  ])('reports Keycloak as the cause if the key set %s (RS-14)', async (_, change, reason) => {
    overrides = change();
    await expect(complete()).rejects.toMatchObject({ code: UNAVAILABLE, reason });
  });

  it('refuses an ID token signed with HMAC, even if the server offers HMAC (BF-02)', async () => {
    overrides = {
      signedBy: Buffer.alloc(32, 'x'),
      alg: 'HS256',
      metadata: { id_token_signing_alg_values_supported: ['RS256', 'HS256'] },
    };
    await expect(complete()).rejects.toMatchObject({ code: 'login_not_valid', reason: 'err_jose_alg_not_allowed' });
  });

  it('stores the time of the token request, not the time of the answer (BF-09)', async () => {
    expect((await complete()).tokens.askedAtMs).toBeLessThanOrEqual(arrivedMs);
    overrides = { claims: { nonce: undefined } };
    const refreshed = await refresh();
    expect('tokens' in refreshed && refreshed.tokens.askedAtMs).toBeLessThanOrEqual(arrivedMs);
  });

  it('forwards the Retry-After header of Keycloak, limited to five minutes', async () => {
    for (const [value, seconds] of [
      ['7', 7],
      ['9999', 300],
      ['soon', undefined],
    ] as const) {
      overrides = { raw: { status: 429, headers: { 'retry-after': value }, body: {} } };
      await expect(refresh()).rejects.toMatchObject({ code: UNAVAILABLE, retryAfterSeconds: seconds });
    }
  });

  it('follows no redirect of the token endpoint, since the request contains secrets (BF-07)', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      forms = [];
      overrides = { raw: { status, headers: { ...HTML, location: `${baseUrl()}/elsewhere` }, body: '' } };
      await expect(complete()).rejects.toMatchObject({
        code: UNAVAILABLE,
        reason: `answered_${status}_unexpected_status`,
      });
      expect(forms).toHaveLength(1);
    }
  });

  it('reads no more than 1 MiB of an answer', async () => {
    const good = { access_token: 'x', token_type: 'Bearer', expires_in: 300 };
    overrides = { raw: { status: 200, body: { ...good, padding: 'x'.repeat(900 * 1024) } } };
    await expect(refresh()).resolves.toHaveProperty('tokens');
    overrides = { raw: { status: 200, body: { ...good, padding: 'x'.repeat(1024 * 1024) } } };
    await expect(refresh()).rejects.toMatchObject({ code: UNAVAILABLE, reason: 'answer_too_large' });
  });

  it.each([
    ['access_denied', 'access_denied'],
    ['Access denied', 'other'],
    ['x\n{"level":"error","msg":"forged"}', 'other'],
    ['eyJhbGciOiJSUzI1NiJ9.e30.c2ln', 'other'],
    ['x'.repeat(61), 'other'],
  ])('logs the error of the callback URL only if the error is a plain word: %j (BF-07)', async (error, reason) => {
    const query = `?${new URLSearchParams({ state: PENDING.state, iss: ISSUER, error })}`;
    await expect(complete(query)).rejects.toMatchObject({ code: 'login_refused', reason });
  });

  it.each(['authorization_endpoint', 'end_session_endpoint', 'token_endpoint', 'jwks_uri'])(
    'sends nothing to a foreign %s',
    async (name) => {
      overrides = { metadata: { [name]: 'http://evil.example/x' } };
      await expect(provider.begin({ returnTo: '/' })).rejects.toMatchObject({ code: 'authorization_server_refused' });
    },
  );

  it('refuses metadata of another issuer (BF-02)', async () => {
    overrides = { metadata: { issuer: 'http://evil.example/realms/shop' } };
    await expect(provider.begin({ returnTo: '/' })).rejects.toMatchObject({ code: 'authorization_server_refused' });
  });
});
