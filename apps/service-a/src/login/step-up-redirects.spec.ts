import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuthenticationClaims } from 'nestjs-keycloak-s2s';
import { KeycloakTestingModule, signIn, testAccessToken, testServices } from 'nestjs-keycloak-s2s/testing';
import { equipService, serviceAdapter } from 'service-defaults';
import request from 'supertest';
import { settingsFrom } from '../../spec-support/settings.js';
import { serviceAConfig } from '../config.js';
import { ServiceAModule } from '../service-a.module.js';
import { OpenIdTokens } from './openid-tokens.js';
import { UserSessions } from './user-sessions.js';

const PAGE = 'text/html,application/xhtml+xml,*/*;q=0.8';
const NAVIGATION = { accept: PAGE, 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' };
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };
const LOGIN = '/auth/login?acr_values=2&max_age=300&return_to=%2Frefund';
const LOGIN_OF_FORM = '/auth/login?acr_values=2&max_age=300&return_to=%2Frefund%3Fnot_sent%3Dtrue';

const settings = settingsFrom({
  NODE_ENV: 'test',
  DEMO_MODE: 'true',
  PUBLIC_URL: 'http://localhost:3000',
  KEYCLOAK_BASE_URL: 'http://127.0.0.1:9',
  KEYCLOAK_REALM: 'shop',
  SERVICE_A_CLIENT_SECRET: 'a-secret',
});

let app: NestFastifyApplication;
beforeAll(async () => {
  const builder = Test.createTestingModule({ imports: [ServiceAModule.register({ demoMode: false })] })
    .overrideProvider(serviceAConfig.KEY)
    .useValue(settings);
  const module = await KeycloakTestingModule.override(builder)
    .setLogger({ log() {}, warn() {}, error() {} })
    .compile();
  app = equipService(module.createNestApplication<NestFastifyApplication>(serviceAdapter()));
  await app.listen(0, '127.0.0.1');
});
afterAll(() => app.close());

const DONE = { service_b: 'Order 9876 refunded by Service B', service_c: { result: 20, msg: 'done' } };
beforeEach(() => {
  testServices(app).reset();
  for (const path of ['/api/process', '/api/refunds']) testServices(app).on('service-b', 'POST', path).reply(200, DONE);
});

const demandAt = (path: string, demand: string): unknown =>
  testServices(app)
    .on('service-b', 'POST', path)
    .reply(
      401,
      { error: 'x', code: 'insufficient_user_authentication' },
      { 'www-authenticate': `Bearer realm="service-b", error="insufficient_user_authentication", ${demand}` },
    );

const secondsAgo = (seconds: number): number => Math.floor(Date.now() / 1000) - seconds;
const AT_ONE: AuthenticationClaims = { acr: '1', authTime: secondsAgo(10) };
const AT_TWO: AuthenticationClaims = { acr: '2', authTime: secondsAgo(10) };

async function sessionOf(authentication: AuthenticationClaims, isStepUp = false) {
  const accessToken = signIn(
    app,
    testAccessToken({ subject: 'alice', client: 'service-a', permissions: ['orders.read'] }),
  );
  const sessions = app.get(UserSessions);
  const tokens = new OpenIdTokens({
    accessToken,
    refreshToken: 'the-refresh-token',
    idToken: 'the-id-token',
    askedAtMs: performance.now(),
    expiresAtMs: performance.now() + 300_000,
  });
  const login = { subject: 'alice', sessionId: undefined, username: 'alice', issuedAt: 1000, authentication, tokens };
  const id = await sessions.begin(login, isStepUp);
  return { cookie: `session=${id}`, csrfToken: (await sessions.find(id))?.csrfToken ?? '' };
}

const get = (path: string, headers: Readonly<Record<string, string>>) =>
  request(app.getHttpServer()).get(path).set(headers);
const post = (path: string, headers: Readonly<Record<string, string>>, csrfToken: string) =>
  request(app.getHttpServer()).post(path).set(headers).type('form').send({ csrf_token: csrfToken });
const callsOf = (): unknown => testServices(app).calls.length;

describe('a browser whose user logged in too weakly', () => {
  it('is redirected to the required login, with a return_to for the page (RS-11, RFC 9470 §4)', async () => {
    const { cookie } = await sessionOf(AT_ONE);
    const { headers, text } = await get('/refund', { ...NAVIGATION, cookie }).expect(303);
    expect([headers['location'], text]).toEqual([LOGIN, '']);
    expect(headers['set-cookie']).toBeUndefined();
    const query = await get('/refund?a=%2F%2Fb', { ...NAVIGATION, cookie }).expect(303);
    expect(query.headers['location']).toMatch(/&return_to=%2Frefund%3Fa%3D%252F%252Fb$/);
  });

  it.each<[string, AuthenticationClaims]>([
    ['at level 2, but too long ago', { acr: '2', authTime: secondsAgo(306) }],
    ['at a level that is not known', { acr: undefined, authTime: secondsAgo(1) }],
    ['at a time that is not known', { acr: '2', authTime: undefined }],
  ])('is redirected to the login if the previous login was %s', async (_, authentication) => {
    const { cookie } = await sessionOf(authentication);
    const { headers } = await get('/refund', { ...NAVIGATION, cookie }).expect(303);
    expect(headers['location']).toBe(LOGIN);
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['a script of the page', { accept: PAGE, 'sec-fetch-dest': 'empty' }],
    ['a frame', { accept: PAGE, 'sec-fetch-dest': 'iframe' }],
    ['a navigation that accepts only JSON', { accept: 'application/json', 'sec-fetch-dest': 'document' }],
    ['curl', {}],
  ])('gets a challenge instead of a redirect: %s', async (_, headers) => {
    const { cookie } = await sessionOf(AT_ONE);
    const answer = await get('/refund', { ...headers, cookie }).expect(401);
    expect(answer.headers['location']).toBeUndefined();
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer realm="service-a", error="insufficient_user_authentication", acr_values="2", max_age="300"',
    );
  });

  it('gets a page saying that the form was not sent, with a login link back to the form (RS-11)', async () => {
    const { cookie, csrfToken } = await sessionOf(AT_ONE);
    const { headers, text } = await post('/refund', { ...NAVIGATION, ...SAME_ORIGIN, cookie }, csrfToken).expect(401);
    expect(headers['location']).toBeUndefined();
    expect(text).toContain('Nothing was refunded');
    expect(text).toContain(`href="${LOGIN_OF_FORM.replaceAll('&', '&amp;')}"`);
    expect(callsOf()).toBe(0);
  });

  it('gets the form again after the login, with a note that nothing was sent', async () => {
    const { cookie, csrfToken } = await sessionOf(AT_TWO);
    const form = await get('/refund?not_sent=true', { ...NAVIGATION, cookie }).expect(200);
    expect(form.text).toContain('Nothing was sent.');
    expect((await get('/refund', { ...NAVIGATION, cookie }).expect(200)).text).not.toContain('Nothing was sent.');
    expect(callsOf()).toBe(0);
    const done = await post('/refund', { ...NAVIGATION, ...SAME_ORIGIN, cookie }, csrfToken).expect(200);
    expect(done.text).toContain('Order 9876 refunded by Service B');
    expect(testServices(app).calls).toMatchObject([{ subject: 'alice' }]);
  });
});

it('redirects a browser to the login even if the browser sends no Sec-Fetch headers', async () => {
  const { cookie } = await sessionOf(AT_ONE);
  expect((await get('/refund', { accept: PAGE, cookie })).status).toBe(303);
});

describe('a browser that has just returned from the required login', () => {
  it('gets a page with the login link instead of another redirect (RS-11)', async () => {
    const { cookie } = await sessionOf(AT_ONE, true);
    const { headers, text } = await get('/refund', { ...NAVIGATION, cookie }).expect(401);
    expect(headers['location']).toBeUndefined();
    expect(text).toContain('that login was not strong or recent enough');
    expect(text).toContain(`href="${LOGIN.replaceAll('&', '&amp;')}"`);
  });

  it('is not redirected again if the called service requires another login', async () => {
    demandAt('/api/process', 'max_age="0"');
    const { cookie } = await sessionOf(AT_TWO, true);
    expect((await get('/run-service-b', { ...NAVIGATION, cookie })).status).toBe(401);
  });
});

describe('a browser whose user must log in again for the called service', () => {
  it('is redirected to a login link that names the chain as return_to (RS-11)', async () => {
    demandAt('/api/process', 'acr_values="2", max_age="60"');
    const { cookie } = await sessionOf(AT_ONE);
    const { headers } = await get('/run-service-b', { ...NAVIGATION, cookie }).expect(303);
    expect(headers['location']).toBe('/auth/login?acr_values=2&max_age=60&return_to=%2Frun-service-b');
  });

  it('gets no login link if this service may not request the required level', async () => {
    demandAt('/api/process', 'acr_values="platinum"');
    const { cookie } = await sessionOf(AT_ONE);
    const { text } = await get('/run-service-b', { ...NAVIGATION, cookie }).expect(401);
    expect(text).not.toContain('/auth/login?acr_values');
  });

  it('gets a login link that returns to the form, if a form was sent', async () => {
    demandAt('/api/refunds', 'max_age="300"');
    const { cookie, csrfToken } = await sessionOf(AT_TWO);
    const { text } = await post('/refund', { ...NAVIGATION, ...SAME_ORIGIN, cookie }, csrfToken).expect(401);
    expect(text).toContain('href="/auth/login?max_age=300&amp;return_to=%2Frefund%3Fnot_sent%3Dtrue"');
  });
});

describe('a request with a token', () => {
  const send = (token: string) => get('/refund', { ...NAVIGATION, authorization: `Bearer ${token}` });
  const ofAlice = (change: object): string =>
    signIn(app, testAccessToken({ subject: 'alice', client: 'shop', permissions: ['orders.read'], ...change }));

  it('gets the challenge and no redirect, even with a session (RFC 9470 §3)', async () => {
    const { cookie } = await sessionOf(AT_TWO);
    const token = ofAlice({ acr: '1', authenticatedSecondsAgo: 5 });
    for (const headers of [{}, { cookie }]) {
      const { headers: answered } = await send(token).set(headers).expect(401);
      expect(answered['location']).toBeUndefined();
      expect(answered['www-authenticate']).toContain('acr_values="2", max_age="300"');
    }
  });

  it('is accepted only if the token reports a recent login', async () => {
    const statuses = [5, 400].map(
      async (authenticatedSecondsAgo) => (await send(ofAlice({ acr: '2', authenticatedSecondsAgo }))).status,
    );
    expect(await Promise.all(statuses)).toEqual([200, 401]);
  });
});

it('offers an ordinary login if the request has no session', async () => {
  const { text } = await get('/refund', NAVIGATION).expect(401);
  expect(text).toContain('href="/auth/login?return_to=/refund"');
});
