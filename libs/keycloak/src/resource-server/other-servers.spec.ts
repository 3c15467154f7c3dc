import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { composeKeycloak, type ComposedKeycloak } from '../module/compose-keycloak.js';
import { runDoctor } from '../cli/doctor/run-doctor.js';
import { jwtVerification } from '../entry-points/jwt/index.js';
import type { KeycloakModuleOptions } from '../options/keycloak.options.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';

type Json = Readonly<Record<string, unknown>>;
interface Said {
  readonly status?: number;
  readonly type?: string;
  readonly body?: Json | string;
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const encoded = (json: Json): string => Buffer.from(JSON.stringify(json)).toString('base64url');

function jwt(claims: Json, typ: unknown = 'at+jwt'): string {
  const signed = `${encoded({ alg: 'ES256', kid: 'k', typ })}.${encoded(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

let server: Server;
let issuer: string;
let asked: string[];
let forms: URLSearchParams[];
let answers: Record<string, Said>;
let tokens: Map<string, Json>;

const now = (): number => Math.floor(Date.now() / 1000);

beforeAll(async () => {
  server = createServer((request, response) => {
    void (async () => {
      const { status = 200, type = 'application/json', body = {} } = await answerTo(request);
      response.writeHead(status, { 'content-type': type });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    })();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tenant`;
});

beforeEach(() => {
  [asked, forms, tokens] = [[], [], new Map()];
  answers = { '/.well-known/oauth-authorization-server/tenant': { body: metadata() } };
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

const metadata = (bend: Json = {}): Json => ({
  issuer,
  token_endpoint: `${issuer}/oauth/token`,
  introspection_endpoint: `${issuer}/oauth/introspect`,
  jwks_uri: `${issuer}/jwks`,
  ...bend,
});

async function answerTo(request: IncomingMessage): Promise<Said> {
  const path = request.url ?? '';
  asked.push(path);
  const form = new URLSearchParams(await text(request));
  forms.push(form);
  if (answers[path] !== undefined) return answers[path];
  if (path === '/tenant/oauth/introspect') return { body: { active: false, ...tokens.get(form.get('token') ?? '') } };
  if (path === '/tenant/jwks')
    return { body: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' }] } };
  return { status: 404, body: { error: 'not_found' } };
}

const keycloakOf = (options: Partial<KeycloakModuleOptions> = {}): ComposedKeycloak =>
  composeKeycloak({
    issuer,
    profile: 'rfc7662',
    clientId: 'orders',
    clientSecret: 'a secret',
    allowInsecureRequests: true,
    maxRetries: 0,
    ...options,
  });

const answerOf = (bend: Json = {}): Json => ({
  active: true,
  aud: 'orders',
  client_id: 'web',
  sub: 'alice-id',
  exp: now() + 60,
  scope: 'orders.read',
  ...bend,
});

async function reasonOf(verifying: Promise<unknown>): Promise<string> {
  try {
    await verifying;
    return 'accepted';
  } catch (error) {
    if (error instanceof KeycloakException) return error.reason;
    throw error;
  }
}

describe('the metadata of a server', () => {
  it("is read from the well-known path of RFC 8414, followed by the issuer's path", async () => {
    tokens.set('opaque', answerOf());
    await keycloakOf().verifier.verify('opaque');
    expect(asked).toEqual(['/.well-known/oauth-authorization-server/tenant', '/tenant/oauth/introspect']);
  });

  it.each<[string, Said]>([
    ['answers 404', { status: 404 }],
    ['redirects to its login', { status: 302 }],
    ['answers every path with an HTML page', { type: 'text/html', body: '<html>' }],
  ])('is read from the path of OpenID Connect Discovery if the server %s', async (_case, said) => {
    answers = {
      '/.well-known/oauth-authorization-server/tenant': said,
      '/tenant/.well-known/openid-configuration': { body: metadata() },
    };
    tokens.set('opaque', answerOf());
    expect(await reasonOf(keycloakOf().verifier.verify('opaque'))).toBe('accepted');
  });

  it('is not read from another path after a server error', async () => {
    answers = {
      '/.well-known/oauth-authorization-server/tenant': { status: 503 },
      '/tenant/.well-known/openid-configuration': { body: metadata() },
    };
    expect(await reasonOf(keycloakOf().verifier.verify('opaque'))).toMatch(/^answered_503/);
    expect(asked).toHaveLength(1);
  });

  it.each<[Json, string]>([
    [{ issuer: 'https://evil.example.com' }, 'issuer_mismatch'],
    [{ introspection_endpoint: 'https://evil.example.com/introspect' }, 'endpoint_on_foreign_origin'],
    [{ token_endpoint: undefined }, 'endpoint_missing'],
  ])('is refused if it contains %j (CC-07)', async (bend, reason) => {
    answers = { '/.well-known/oauth-authorization-server/tenant': { body: metadata(bend) } };
    expect(await reasonOf(keycloakOf().verifier.verify('opaque'))).toBe(reason);
  });
});

describe('a token with the profile rfc7662', () => {
  it('may be opaque, and belongs to the introspecting server if iss is missing', async () => {
    tokens.set('opaque', answerOf());
    const token = await keycloakOf().verifier.verify('opaque');
    expect(token).toMatchObject({ issuer, subject: 'alice-id', clientId: 'web', audience: ['orders'] });
    expect(token.hasPermission('orders.read')).toBe(true);
  });

  it.each<[string, string]>([
    ['a+b-c', 'token_malformed'],
    ['abc=', 'accepted'],
    ['abcde=', 'token_malformed'],
    ['a==', 'token_malformed'],
    ['e30.e30.c2ln', 'token_malformed'],
    [`${encoded({ alg: 'none' })}.e30.c2ln`, 'token_malformed'],
  ])('is accepted only in the canonical spelling: %s is %s (RS-03)', async (token, expected) => {
    tokens.set(token, answerOf());
    expect(await reasonOf(keycloakOf().verifier.verify(token))).toBe(expected);
    expect(asked.includes('/tenant/oauth/introspect')).toBe(expected === 'accepted');
  });

  it('counts as inactive if the server answers unsupported_token_type, but not invalid_request', async () => {
    answers['/tenant/oauth/introspect'] = { status: 400, body: { error: 'unsupported_token_type' } };
    expect(await reasonOf(keycloakOf().verifier.verify(jwt({}, 'JWT')))).toBe('inactive');
    answers['/tenant/oauth/introspect'] = { status: 400, body: { error: 'invalid_request' } };
    expect(await reasonOf(keycloakOf().verifier.verify('opaque'))).toBe('answered_400_invalid_request');
  });

  it('has the subject client:web, also in denials and rechecks, if it has no user', async () => {
    tokens.set('own', answerOf({ sub: undefined, iat: now() - 30 }));
    const { verifier, revocations } = keycloakOf();
    const { subject } = await verifier.verify('own');
    expect(subject).toBe('client:web');
    revocations.recheck({ sub: subject });
    tokens.set('own', { active: false });
    expect(await reasonOf(verifier.verify('own'))).toBe('inactive');
    tokens.set('another', answerOf({ sub: undefined, iat: now() - 30 }));
    expect(await reasonOf(verifier.verify('another'))).toBe('accepted');
    revocations.deny({ sub: subject, issuedBefore: now() });
    expect(await reasonOf(verifier.verify('another'))).toBe('revoked');
  });
});

describe('a token with the profile rfc9068', () => {
  const claims = (bend: Json = {}): Json => ({
    ...answerOf({ iss: issuer, iat: now(), jti: 'j', active: undefined }),
    ...bend,
  });
  const BOTH = ['introspection', 'jwt'] as const;

  it.each(
    BOTH.flatMap((verification) =>
      ['at+jwt', 'application/at+jwt', 'AT+JWT'].map((typ) => [verification, typ] as const),
    ),
  )('is accepted by %s with the typ header %s (RFC 9068 section 4)', async (verification, typ) => {
    const token = jwt(claims(), typ);
    tokens.set(token, { ...claims(), active: true });
    const { verifier } = keycloakOf({ profile: 'rfc9068', verification, jwt: jwtVerification() });
    expect(await verifier.verify(token)).toMatchObject({ subject: 'alice-id', clientId: 'web' });
  });

  it.each(
    BOTH.flatMap((verification) =>
      ['JWT', 'logout+jwt', '', 'at+jwtx', null, 5].map((typ) => [verification, typ] as const),
    ),
  )('is refused by %s with the typ header %j, without a call to the server (RS-08)', async (verification, typ) => {
    const token = jwt(claims(), typ);
    tokens.set(token, { ...claims(), active: true });
    const { verifier } = keycloakOf({ profile: 'rfc9068', verification, jwt: jwtVerification() });
    expect(await reasonOf(verifier.verify(token))).toBe('not_an_access_token');
    expect(asked).toEqual([]);
  });

  it('is refused if it is opaque', async () => {
    tokens.set('opaque', { ...claims(), active: true });
    expect(await reasonOf(keycloakOf({ profile: 'rfc9068' }).verifier.verify('opaque'))).toBe('token_malformed');
  });

  it('is introspected after a recheck of its client if the token has no user', async () => {
    const token = jwt(claims({ sub: 'web', iat: now() - 30 }));
    const { verifier, revocations } = keycloakOf({ profile: 'rfc9068', verification: 'jwt', jwt: jwtVerification() });
    const { subject } = await verifier.verify(token);
    expect(subject).toBe('client:web');
    revocations.recheck({ sub: subject });
    expect(await reasonOf(verifier.verify(token))).toBe('inactive');
  });
});

describe('an exchange (RFC 8693)', () => {
  const exchanged = async (said: Said): Promise<string> => {
    answers['/tenant/oauth/token'] = said;
    tokens.set('opaque', answerOf());
    const { verifier, tokenExchange } = keycloakOf();
    const subject = await verifier.verify('opaque');
    return reasonOf(tokenExchange.exchange(subject, { audience: 'inventory', scope: 'stock.read' }));
  };
  const granted = {
    access_token: 'another',
    token_type: 'Bearer',
    expires_in: 60,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  };

  it('requests the audience of the called service', async () => {
    expect(await exchanged({ body: granted })).toBe('accepted');
    expect(forms.at(-1)?.get('audience')).toBe('inventory');
  });

  it.each<[string, string]>([
    ['invalid_scope', 'permission_not_granted_to_subject'],
    ['invalid_grant', 'subject_token_refused'],
    ['invalid_target', 'answered_400_invalid_target'],
    ['invalid_request', 'answered_400_invalid_request'],
  ])('fails after one request if the server answers %s: %s', async (error, reason) => {
    const said = { error, error_description: 'Requested audience not available: inventory' };
    expect(await exchanged({ status: 400, body: said })).toBe(reason);
    expect(asked.filter((path) => path === '/tenant/oauth/token')).toHaveLength(1);
  });
});

describe('the checks of a server other than Keycloak', () => {
  it('use an opaque token to test whether the server accepts this service', async () => {
    expect(await keycloakOf().health.ready()).toEqual({ reachable: true });
    expect(forms.at(-1)?.get('token')).not.toContain('.');
  });

  it('skip the features that only Keycloak has, and say so in a note', async () => {
    const findings = await keycloakOf().issuers[0].checkup.run();
    const note = findings.at(-1);
    expect(findings.filter(({ level }) => level === 'error' || level === 'warning')).toEqual([]);
    expect(note).toMatchObject({ level: 'note', message: expect.stringContaining('profile is rfc7662') });
  });

  it.each([
    ['rfc9068', 0, 'Nothing was read as an administrator'],
    ['auth0', 2, 'profile must be'],
  ])('run in doctor --profile %s, which exits with %d', async (profile, exitCode, words) => {
    let printed = '';
    const print = (said: string): void => void (printed += said);
    const args = [
      '--issuer',
      issuer,
      '--client-id',
      'orders',
      '--profile',
      profile,
      '--allow-insecure-requests',
      '--admin',
    ];
    const environment = { KEYCLOAK_CLIENT_SECRET: 'a secret', KEYCLOAK_ADMIN_TOKEN: 'a.b.c' };
    expect(await runDoctor(args, { environment, print, printError: print, hasColors: false })).toBe(exitCode);
    expect(printed).toContain(words);
  });

  it('allow the application to call the server at the origin of the issuer', async () => {
    answers['/tenant/userinfo'] = { body: { sub: 'alice-id' } };
    const { fetch } = keycloakOf({
      issuer: issuer.replace('127.0.0.1', 'localhost'),
      internalServerUrl: new URL(issuer).origin,
    });
    const answer = await fetch.fetch(`${issuer.replace('127.0.0.1', 'localhost')}/userinfo`);
    expect(await answer.json()).toEqual({ sub: 'alice-id' });
  });
});
