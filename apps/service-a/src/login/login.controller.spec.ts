import { fileURLToPath } from 'node:url';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startAuthorizationServer, type RunningAuthorizationServer } from 'keycloak-test-servers';
import { equipService, serviceAdapter } from 'service-defaults';
import request from 'supertest';
import { allSecrets } from '../../../../libs/keycloak-test-servers/spec-support/test-realm.js';
import { settingsFrom } from '../../spec-support/settings.js';
import { serviceAConfig } from '../config.js';
import { ServiceAModule } from '../service-a.module.js';
import { UserSessions } from './user-sessions.js';

const PUBLIC_URL = 'http://localhost:3000';
const REALM_FILE = fileURLToPath(new URL('../../../../keycloak/microservices-realm.json', import.meta.url));

let keycloak: RunningAuthorizationServer;
let app: NestFastifyApplication;
beforeAll(async () => {
  keycloak = await startAuthorizationServer({
    realm: REALM_FILE,
    environment: allSecrets('of-my-own'),
  });
  const settings = settingsFrom({
    NODE_ENV: 'test',
    PUBLIC_URL,
    KEYCLOAK_BASE_URL: keycloak.baseUrl,
    KEYCLOAK_REALM: 'microservices',
    SERVICE_A_CLIENT_SECRET: 'of-my-own',
    SERVICE_A_SESSION_SECRET: 'a-session-secret-of-my-own-with-40-letters',
  });
  const module = await Test.createTestingModule({ imports: [ServiceAModule.register({ demoMode: false })] })
    .overrideProvider(serviceAConfig.KEY)
    .useValue(settings)
    .setLogger({ log() {}, warn() {}, error() {} })
    .compile();
  app = equipService(module.createNestApplication<NestFastifyApplication>(serviceAdapter()));
  await app.listen(0, '127.0.0.1');
});
afterAll(async () => {
  await app.close();
  await keycloak.stop();
});

const cookieIn = (lines: readonly string[]): string =>
  lines
    .map((line) => line.split(';')[0] ?? '')
    .filter((pair) => !pair.endsWith('='))
    .join('; ');
const setBy = (response: request.Response): string[] => [response.headers['set-cookie'] ?? []].flat();

async function logIn(cookie = ''): Promise<string> {
  const begun = await request(app.getHttpServer()).get('/auth/login').set('cookie', cookie).expect(303);
  const form = await fetch(begun.headers['location'] ?? '');
  const action = /action="([^"]*)"/.exec(await form.text())?.[1]?.replaceAll('&amp;', '&') ?? '';
  const answered = await fetch(action, {
    method: 'POST',
    headers: { cookie: cookieIn(form.headers.getSetCookie()) },
    body: new URLSearchParams({ username: 'alice', password: 'alice' }),
    redirect: 'manual',
  });
  const callback = (answered.headers.get('location') ?? '').slice(PUBLIC_URL.length);
  const cookies = [cookie, cookieIn(setBy(begun))].filter((one) => one !== '').join('; ');
  const back = await request(app.getHttpServer()).get(callback).set('cookie', cookies).expect(303);
  return /session=([\w-]{43})/.exec(setBy(back).join())?.[1] ?? '';
}

const sessionOf = (id: string) => app.get(UserSessions).find(id);

describe('a login', () => {
  it('replaces and ends only the previous session of the browser (BF-05)', async () => {
    const [former, other] = [await logIn(), await logIn()];
    const id = await logIn(`session=${former}`);
    expect(id).not.toBe(former);
    await expect(sessionOf(id)).resolves.toMatchObject({ username: 'alice' });
    await expect(sessionOf(former)).resolves.toBeUndefined();
    await expect(sessionOf(other)).resolves.toMatchObject({ username: 'alice' });
  });

  it('keeps the previous session if the login fails (BF-05)', async () => {
    const id = await logIn();
    await request(app.getHttpServer()).get('/auth/callback?code=x&state=y').set('cookie', `session=${id}`).expect(400);
    await expect(sessionOf(id)).resolves.toMatchObject({ username: 'alice' });
  });

  it.each([
    ['started elsewhere', undefined],
    ['refused', '&error=access_denied'],
    ['answered by another issuer', '&code=x&iss=https://evil.example'],
  ])('gets a page that does not reveal whether a user is logged in, if the login is %s (BF-05)', async (_, answer) => {
    const cookie = `session=${await logIn()}`;
    const begun = await request(app.getHttpServer()).get('/auth/login').set({ cookie }).expect(303);
    const state = new URL(begun.headers['location'] ?? '').searchParams.get('state') ?? '';
    const { text } = await request(app.getHttpServer())
      .get(`/auth/callback?state=${answer === undefined ? 'y' : state}${answer ?? ''}`)
      .set({ cookie: `${cookie}; ${cookieIn(setBy(begun))}`, accept: 'text/html' })
      .expect(400);
    expect(text).toContain('<h1>The login did not finish</h1>');
    expect(text).toContain('If you were logged in before, you still are'.slice(1));
    expect(text).not.toMatch(/nobody is logged in/i);
  });
});

describe('the start page', () => {
  it('shows an error page and keeps the session if Keycloak fails to confirm the session (BF-09)', async () => {
    const id = await logIn();
    const start = (accept: string) =>
      request(app.getHttpServer())
        .get('/')
        .set({ cookie: `session=${id}`, accept });
    await app.get(UserSessions).recheckAll();
    keycloak.control.fault('token', { kind: 'status', status: 503, times: 99 });
    const [page, json] = [await start('text/html'), await start('*/*')];
    keycloak.control.fault('token', undefined);
    expect([page.status, page.headers['content-type']]).toEqual([503, 'text/html; charset=utf-8']);
    expect(page.text).toContain('Keycloak did not answer');
    expect([page.headers['retry-after'], page.headers['set-cookie']]).toEqual([json.headers['retry-after'], undefined]);
    expect([json.status, json.body]).toMatchObject([503, { code: 'authorization_server_unavailable' }]);
    await expect(sessionOf(id)).resolves.toMatchObject({ username: 'alice' });
  });
});

describe('pending logins', () => {
  const headers = { accept: 'text/html', 'user-agent': 'x'.repeat(500) };

  it('never fill the Cookie header, even if another site links to many logins (BF-12)', async () => {
    const jar = new Map<string, string>();
    for (let count = 0; count < 8; count += 1) {
      const cookie = [...jar].map((pair) => pair.join('=')).join('; ');
      const link = `/auth/login?return_to=/${'x'.repeat(2047)}`;
      const begun = await request(app.getHttpServer())
        .get(link)
        .set({ ...headers, cookie });
      expect(begun.status).toBe(303);
      for (const line of setBy(begun)) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === '') jar.delete(name);
        else jar.set(name, value);
      }
    }
    expect(jar.size).toBeGreaterThan(1);
  });
});

describe('a logout', () => {
  const logOut = (id: string, csrfToken: string) =>
    request(app.getHttpServer())
      .post('/auth/logout')
      .set({ cookie: `session=${id}`, 'sec-fetch-site': 'same-origin', 'x-csrf-token': csrfToken });

  it('ends the sessions at Service A and Keycloak, and clears the cookie (BF-09)', async () => {
    const id = await logIn();
    const session = await sessionOf(id);
    const { headers } = await logOut(id, session?.csrfToken ?? '').expect(303);
    expect(headers['location']).toMatch(new RegExp(`^${keycloak.issuer}/protocol/openid-connect/logout\\?`));
    expect(headers['set-cookie']).toEqual([expect.stringMatching(/^session=; Max-Age=0/)]);
    await expect(sessionOf(id)).resolves.toBeUndefined();
    const { refreshToken = '' } = session?.tokens.reveal() ?? {};
    const refreshed = await fetch(`${keycloak.issuer}/protocol/openid-connect/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from('service-a:of-my-own').toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
    });
    await expect(refreshed.json()).resolves.toMatchObject({ error_description: 'Session not active' });
  });

  it('ends the session at Service A even if Keycloak does not answer (BF-09)', async () => {
    const id = await logIn();
    const session = await sessionOf(id);
    keycloak.control.fault('logout', { kind: 'status', status: 503, times: 9 });
    await logOut(id, session?.csrfToken ?? '').expect(303);
    keycloak.control.fault('logout', undefined);
    await expect(sessionOf(id)).resolves.toBeUndefined();
  });

  it('ends the session at Service A even if Keycloak is unavailable (BF-09)', async () => {
    const id = await logIn();
    const session = await sessionOf(id);
    keycloak.control.fault('discovery', { kind: 'status', status: 503, times: 99 });
    keycloak.control.fault('logout', { kind: 'status', status: 503, times: 99 });
    // Waits until the service checks Keycloak's health again.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const { headers, text } = await logOut(id, session?.csrfToken ?? '')
      .set('accept', 'text/html')
      .expect(503);
    keycloak.control.fault('discovery', undefined);
    keycloak.control.fault('logout', undefined);
    expect(text).toContain('<h1>You are logged out at Service A</h1>');
    expect(headers['set-cookie']).toEqual([expect.stringMatching(/^session=; Max-Age=0/)]);
    await expect(sessionOf(id)).resolves.toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 1100));
  });

  it.each([
    ['ended', (id: string) => id],
    ['unknown', (id: string) => `${'x'.repeat(8)}${id.slice(8)}`],
  ])('redirects to the logout page of Keycloak even if the session of Service A is %s (BF-09)', async (_, known) => {
    const begun = await logIn();
    await app.get(UserSessions).end(begun);
    const id = known(begun);
    const { headers } = await logOut(id, '').expect(303);
    expect(headers['location']).toMatch(new RegExp(`^${keycloak.issuer}/protocol/openid-connect/logout\\?`));
    expect(headers['set-cookie']).toEqual([expect.stringMatching(/^session=; Max-Age=0/)]);
  });

  it('redirects a browser without a session to the start page', async () => {
    const { headers } = await request(app.getHttpServer())
      .post('/auth/logout')
      .set('sec-fetch-site', 'same-origin')
      .expect(303);
    expect([headers['location'], headers['set-cookie']]).toEqual(['/', undefined]);
  });
});
