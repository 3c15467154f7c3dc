import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  KeycloakTestingModule,
  signIn,
  signOut,
  testAccessToken,
  testServices,
  type TestAccessTokenOptions,
} from 'nestjs-keycloak-s2s/testing';
import { equipService, serviceAdapter } from 'service-defaults';
import request from 'supertest';
import { settingsFrom } from '../../spec-support/settings.js';
import { AttacksModule } from '../attacks/attacks.module.js';
import { serviceAConfig } from '../config.js';
import { ServiceAModule } from '../service-a.module.js';
import { OpenIdTokens } from './openid-tokens.js';
import { StepUps } from './step-ups.js';
import { UserSessions } from './user-sessions.js';

const PUBLIC_URL = 'http://localhost:3000';
const settings = settingsFrom({
  NODE_ENV: 'test',
  DEMO_MODE: 'true',
  PUBLIC_URL,
  // No server listens on this port, so requests to Keycloak fail immediately.
  KEYCLOAK_BASE_URL: 'http://127.0.0.1:9',
  KEYCLOAK_REALM: 'shop',
  SERVICE_A_CLIENT_SECRET: 'a-secret',
});

const PERMISSIONS = ['orders.read', 'attacks.run'];
const ALICE: TestAccessTokenOptions = { subject: 'alice', client: 'service-a', permissions: PERMISSIONS };
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };
const CROSS_SITE = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
const NO_ATTACK = '/attacks/none-of-this-name';

type Service = NestFastifyApplication;

async function start(): Promise<Service> {
  const builder = Test.createTestingModule({ imports: [ServiceAModule.register({ demoMode: false }), AttacksModule] })
    .overrideProvider(serviceAConfig.KEY)
    .useValue(settings);
  const module = await KeycloakTestingModule.override(builder)
    .setLogger({ log() {}, warn() {}, error() {} })
    .compile();
  const service = equipService(module.createNestApplication<Service>(serviceAdapter()));
  await service.listen(0, '127.0.0.1');
  return service;
}

let app: Service;
let replica: Service;
beforeAll(async () => {
  [app, replica] = await Promise.all([start(), start()]);
});
afterAll(() => Promise.all([app.close(), replica.close()]));
beforeEach(() => {
  testServices(app)
    .on('service-b', 'POST', '/api/process')
    .reply(200, { service_b: 'done', service_c: { result: 20, msg: 'done' } });
});

interface Session {
  readonly id: string;
  readonly cookie: string;
  readonly csrfToken: string;
  readonly accessToken: string;
}

async function logIn(change: TestAccessTokenOptions = {}, at = app): Promise<Session> {
  const accessToken = signIn(at, testAccessToken({ ...ALICE, ...change }));
  const sessions = at.get(UserSessions);
  const id = await sessions.begin({
    subject: 'alice',
    sessionId: undefined,
    username: 'alice',
    issuedAt: 1000,
    authentication: { acr: '1', authTime: 1000 },
    tokens: new OpenIdTokens({
      accessToken,
      refreshToken: 'the-refresh-token',
      idToken: 'the-id-token',
      askedAtMs: performance.now(),
      expiresAtMs: performance.now() + 300_000,
    }),
  });
  const csrfToken = (await sessions.find(id))?.csrfToken ?? '';
  return { id, cookie: `session=${id}`, csrfToken, accessToken };
}

const isLoggedIn = async ({ id }: Session, at = app): Promise<boolean> =>
  (await at.get(UserSessions).find(id)) !== undefined;

const send = (method: 'get' | 'post', path: string, headers: Readonly<Record<string, string>>, at = app) =>
  request(at.getHttpServer())[method](path).set(headers);
const post = (path: string, headers: Readonly<Record<string, string>>, form: object = {}) =>
  send('post', path, headers).type('form').send(form);
const chain = (headers: Readonly<Record<string, string>>, at = app) => send('get', '/run-service-b', headers, at);

describe('a request with a session', () => {
  it('gets 401, but keeps the session, if the clock of the service is wrong (BF-05)', async () => {
    const session = await logIn();
    const { now } = Date;
    jest.spyOn(Date, 'now').mockImplementation(() => now() - 3_600_000);
    try {
      const { body } = await chain({ cookie: session.cookie }).expect(401);
      expect(body).toMatchObject({ code: 'invalid_token' });
    } finally {
      jest.restoreAllMocks();
    }
    await chain({ cookie: session.cookie }).expect(200);
  });

  it("may change state if it comes from this origin with the session's CSRF token (BF-06)", async () => {
    const session = await logIn();
    const { cookie, csrfToken } = session;
    await post(NO_ATTACK, { cookie, ...SAME_ORIGIN }, { csrf_token: csrfToken }).expect(404);
    await post(NO_ATTACK, { cookie, ...SAME_ORIGIN, 'x-csrf-token': csrfToken }).expect(404);
    await post(NO_ATTACK, { cookie, origin: PUBLIC_URL }, { csrf_token: csrfToken }).expect(404);
    // The page's referrer policy decides whether the browser sends the page's origin.
    for (const origin of [PUBLIC_URL, 'null', 'http://127.0.0.1:3000', 'http://[::1]:3000', 'http://localhost']) {
      await post(NO_ATTACK, { cookie, ...SAME_ORIGIN, origin }, { csrf_token: csrfToken }).expect(404);
    }
    // The in-memory server has no end session endpoint.
    await post('/auth/logout', { cookie, ...SAME_ORIGIN }, { csrf_token: csrfToken }).expect(502);
    await expect(isLoggedIn(session)).resolves.toBe(false);
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['another site', CROSS_SITE],
    ['another origin of this site', { 'sec-fetch-site': 'same-site' }],
    ['a URL that the user typed', { 'sec-fetch-site': 'none' }],
    ['another origin, by an older browser', { origin: 'https://evil.example' }],
    ['a hidden origin', { origin: 'null' }],
    ['an unknown source', {}],
    ['a host name that was rebound to this service', { ...SAME_ORIGIN, origin: 'http://rebound.evil.example:3000' }],
    ['a malformed origin', { ...SAME_ORIGIN, origin: 'nonsense' }],
  ])(
    'changes nothing if the request comes from %s, even with the CSRF token of the session (BF-06)',
    async (_, from) => {
      const session = await logIn();
      for (const path of ['/auth/logout', NO_ATTACK]) {
        const { body } = await post(
          path,
          { cookie: session.cookie, ...from },
          { csrf_token: session.csrfToken },
        ).expect(403);
        expect(body).toMatchObject({ code: 'cross_site' });
      }
      await expect(isLoggedIn(session)).resolves.toBe(true);
    },
  );

  it('gets the page "Nothing was done" if the CSRF token belongs to a previous session (BF-06)', async () => {
    const [former, session] = [await logIn(), await logIn()];
    const headers = { cookie: session.cookie, ...SAME_ORIGIN, accept: 'text/html' };
    const refused = await post('/auth/logout', headers, { csrf_token: former.csrfToken }).expect(403);
    expect([refused.headers['content-type'], refused.headers['cache-control']]).toEqual([
      'text/html; charset=utf-8',
      'no-store',
    ]);
    expect(refused.text).toContain('<h1>Nothing was done</h1>');
    await expect(isLoggedIn(session)).resolves.toBe(true);
  });

  it.each<[string, (token: string) => object]>([
    ['no token', () => ({})],
    ['an empty token', () => ({ csrf_token: '' })],
    ['a shortened token', (token) => ({ csrf_token: token.slice(1) })],
    ['a lengthened token', (token) => ({ csrf_token: `${token}x` })],
    ['another token of the same length', (token) => ({ csrf_token: 'x'.repeat(token.length) })],
    ['two tokens', (token) => ({ csrf_token: [token, token] })],
  ])('changes nothing if the form of this origin has %s (BF-06)', async (_, form) => {
    const session = await logIn();
    for (const path of ['/auth/logout', NO_ATTACK]) {
      await post(path, { cookie: session.cookie, ...SAME_ORIGIN }, form(session.csrfToken)).expect(403);
    }
    await expect(isLoggedIn(session)).resolves.toBe(true);
  });

  it('is refused with the CSRF token of another session (BF-06)', async () => {
    const [one, other] = [await logIn(), await logIn()];
    await post('/auth/logout', { cookie: one.cookie, ...SAME_ORIGIN }, { csrf_token: other.csrfToken }).expect(403);
    await expect(isLoggedIn(one)).resolves.toBe(true);
  });
});

describe('a request with a session and an Authorization header', () => {
  it.each([
    ['is empty', ''],
    ['has the credentials that a browser adds for a proxy', 'Basic YWxpY2U6YWxpY2U='],
    ['has another scheme that browsers add', 'Negotiate YII'],
    ['has no token', 'Bearer'],
    ['has a malformed token', 'Bearer junk'],
  ])('follows the rules for sessions if the header %s (BF-06)', async (_, authorization) => {
    const session = await logIn();
    const { cookie } = session;
    const refused = await post('/auth/logout', { cookie, authorization, ...CROSS_SITE }).expect(403);
    expect(refused.headers['set-cookie']).toBeUndefined();
    await post('/auth/logout', { cookie, authorization, ...SAME_ORIGIN }).expect(403);
    await expect(isLoggedIn(session)).resolves.toBe(true);
    // On a guarded route, the guard refuses the invalid Authorization header, although the session is valid.
    expect((await post(NO_ATTACK, { cookie, authorization, ...CROSS_SITE })).status).toBeLessThan(402);
    expect((await chain({ cookie, authorization })).status).toBeGreaterThanOrEqual(400);
  });

  it('needs the CSRF token on an unguarded route, even with a valid access token (BF-06)', async () => {
    const session = await logIn();
    const authorization = `Bearer ${session.accessToken}`;
    await post('/auth/logout', { cookie: session.cookie, authorization, ...CROSS_SITE }).expect(403);
    await expect(isLoggedIn(session)).resolves.toBe(true);
    const { cookie, csrfToken } = session;
    await post('/auth/logout', { cookie, authorization, ...SAME_ORIGIN }, { csrf_token: csrfToken }).expect(502);
    await expect(isLoggedIn(session)).resolves.toBe(false);
  });

  it('runs as the subject of the verified token, and ignores the session', async () => {
    const bearer = signIn(app, testAccessToken({ ...ALICE, subject: 'bob' }));
    const session = await logIn({ permissions: [] });
    const { cookie } = session;
    await post(NO_ATTACK, { cookie, authorization: `Bearer ${bearer}` }).expect(404);
    testServices(app).reset();
    testServices(app).on('service-b', 'POST', '/api/process').reply(500);
    await chain({ cookie, authorization: `Bearer ${bearer}` }).expect(502);
    expect(testServices(app).calls).toMatchObject([{ subject: 'bob' }]);
  });
});

describe('a session', () => {
  it('needs the permission that the route requires', async () => {
    const { cookie } = await logIn();
    await chain({ cookie }).expect(200);
    expect(testServices(app).calls.at(-1)).toMatchObject({ subject: 'alice' });
  });

  it.each([
    ['the chain', 'orders.read', (headers: Record<string, string>) => chain(headers)],
    ['an attack', 'attacks.run', (headers: Record<string, string>) => post(NO_ATTACK, headers)],
  ])('continues after the service refuses %s because the permission is missing', async (_, permission, run) => {
    const session = await logIn({ permissions: PERMISSIONS.filter((one) => one !== permission) });
    testServices(app).reset();
    const { cookie } = session;
    const { body } = await run({ cookie, ...SAME_ORIGIN, 'x-csrf-token': session.csrfToken }).expect(403);
    expect(body).toMatchObject({ code: 'insufficient_scope', permission });
    expect(testServices(app).calls).toEqual([]);
    await expect(isLoggedIn(session)).resolves.toBe(true);
  });

  it("ends when a service refuses the session's revoked token (BF-09)", async () => {
    const session = await logIn();
    signOut(app, session.accessToken);
    const { body, headers } = await chain({ cookie: session.cookie }).expect(401);
    expect(body).toMatchObject({ code: 'missing_token', reason: 'session_ended' });
    expect(headers['set-cookie']).toEqual([expect.stringMatching(/^session=; Max-Age=0/)]);
    await expect(isLoggedIn(session)).resolves.toBe(false);
  });

  it('is not shown on the start page after Keycloak ended the session without a logout notice (BF-09)', async () => {
    const [live, session] = [await logIn(), await logIn()];
    const home = async ({ cookie }: Session) => (await send('get', '/', { cookie }).expect(200)).text;
    expect(await home(live)).toContain('Logged in as <strong>alice');
    signOut(app, session.accessToken);
    expect(await home(session)).not.toContain('Logged in as');
    await expect(isLoggedIn(session)).resolves.toBe(false);
  });

  it('provides no login hint after Keycloak ended the session without a logout notice (BF-09)', async () => {
    const session = await logIn();
    signOut(app, session.accessToken);
    await expect(app.get(StepUps).userOf({ headers: { cookie: session.cookie } })).resolves.toEqual({
      confirms: undefined,
      loginHint: undefined,
    });
  });

  it('keeps its cookie during a login, since the cookie may be new (RS-11, BF-05)', async () => {
    const [former, session] = [await logIn(), await logIn()];
    await app.get(UserSessions).end(former.id);
    // The browser has not yet received the new session cookie and the cleared login cookie.
    for (const accept of ['text/html', 'application/json']) {
      const underWay = await chain({ cookie: `${former.cookie}; login-abcd=sealed`, accept }).expect(401);
      expect(underWay.headers['set-cookie']).toBeUndefined();
    }
    await chain({ cookie: session.cookie }).expect(200);
    const { headers } = await chain({ cookie: former.cookie }).expect(401);
    expect(headers['set-cookie']).toEqual([expect.stringMatching(/^session=; Max-Age=0/)]);
  });
});

describe('two instances that share no sessions', () => {
  it.each([
    ['the chain', (headers: Record<string, string>) => chain(headers, replica)],
    ['the chain, as a page', (headers: Record<string, string>) => chain({ accept: 'text/html', ...headers }, replica)],
    [
      'an attack',
      (headers: Record<string, string>) => send('post', NO_ATTACK, { ...headers, ...SAME_ORIGIN }, replica),
    ],
    ['the start page', (headers: Record<string, string>) => send('get', '/', headers, replica)],
  ])('do not clear the cookie of the other instance if a browser requests %s (BF-09)', async (_, ask) => {
    const session = await logIn();
    const { headers } = await ask({ cookie: session.cookie });
    expect(headers['set-cookie']).toBeUndefined();
    await expect(isLoggedIn(session)).resolves.toBe(true);
    await chain({ cookie: session.cookie }).expect(200);
  });

  it('refuse to run the chain if only the other instance knows the session', async () => {
    const { cookie } = await logIn();
    const { body } = await chain({ cookie }, replica).expect(401);
    expect(body).toMatchObject({ code: 'missing_token', reason: 'session_unknown' });
  });

  it('clear the cookie of an ended session if this instance started the session', async () => {
    const session = await logIn();
    await app.get(UserSessions).end(session.id);
    const { body, headers } = await chain({ cookie: session.cookie }).expect(401);
    expect(body).toMatchObject({ reason: 'session_ended' });
    expect(headers['set-cookie']).toEqual([expect.stringMatching(/^session=; Max-Age=0/)]);
  });

  it('clear the cookie of an unknown session if the user logs out', async () => {
    const { cookie } = await logIn();
    const page = await send('get', '/', { cookie }, replica).expect(200);
    expect(page.text).toContain('is unknown here');
    expect(page.text).toContain('action="/auth/logout"');
    expect(page.headers['content-security-policy']).toContain("form-action 'self' http://127.0.0.1:9");
    const { headers } = await send('post', '/auth/logout', { cookie, ...SAME_ORIGIN }, replica).expect(502);
    expect(headers['set-cookie']).toEqual([expect.stringMatching(/^session=; Max-Age=0/)]);
  });
});
