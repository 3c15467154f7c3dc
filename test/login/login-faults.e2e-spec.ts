import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Fault, RunningAuthorizationServer } from 'keycloak-test-servers';
import { Browser, type Page } from '../../libs/keycloak-test-servers/contract/browser.js';
import { refreshAtEveryUse, startEmbeddedServer } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { callbackOf, logInAt } from '../support/login-at.js';
import { RunningServices } from '../support/running-services.js';

const HTML = { 'content-type': 'text/html' };

const FAULTS: readonly (readonly [name: string, fault: Fault, status: number])[] = [
  ['429', { kind: 'status', status: 429, retryAfter: 7 }, 503],
  ['429 with an HTML page', { kind: 'answer', status: 429, headers: HTML, body: '<p>Too busy' }, 503],
  ['503', { kind: 'status', status: 503 }, 503],
  ['a reset connection', { kind: 'reset' }, 503],
  ['302 to a login page', { kind: 'answer', status: 302, headers: { location: '/login' }, body: '' }, 503],
  ['200 with an HTML page', { kind: 'html' }, 503],
  ['truncated JSON', { kind: 'answer', body: '{"access_token":"x' }, 503],
  ['an empty body', { kind: 'empty' }, 503],
  ['50 MB', { kind: 'huge' }, 503],
  ['JSON without an access token', { kind: 'answer', body: { token_type: 'Bearer', expires_in: 300 } }, 503],
  ['404 with an HTML page', { kind: 'answer', status: 404, headers: HTML, body: '<p>Nobody here' }, 502],
  ['404 for an unknown realm', { kind: 'answer', status: 404, body: { error: 'Realm does not exist' } }, 502],
  ['403 with an HTML page', { kind: 'answer', status: 403, headers: HTML, body: '<p>Forbidden' }, 502],
  ['401 invalid_client', { kind: 'answer', status: 401, body: { error: 'invalid_client' } }, 502],
  ['400 unauthorized_client', { kind: 'answer', status: 400, body: { error: 'unauthorized_client' } }, 502],
];
const CODES: Readonly<Record<number, string>> = {
  502: 'authorization_server_refused',
  503: 'authorization_server_unavailable',
};

let server: RunningAuthorizationServer;
let chain: RunningServices;
let browser: Browser;

beforeAll(async () => {
  server = await startEmbeddedServer();
  await refreshAtEveryUse(server.baseUrl);
  chain = await RunningServices.start({ server, direct: true, variables: { PUBLIC_URL: publicUrl } });
});
beforeEach(() => {
  browser = new Browser();
});
afterEach(() => server.control.fault('token', undefined));
afterAll(async () => {
  await chain.stop();
  await server.stop();
});

const asJson = { headers: { Accept: 'application/json' } };
const run = (): Promise<Page> => browser.send(`${chain.a.url}/run-service-b`, asJson);
const session = (): string | undefined => browser.cookie(chain.a.url, 'session');
const answerOf = ({ status, text }: Page): unknown => ({ status, code: (JSON.parse(text) as { code?: unknown }).code });

describe('a refresh of a session', () => {
  it.each(FAULTS)('does not end the session if Keycloak answers %s (BF-08, RS-14)', async (_, fault, status) => {
    await logInAt(chain.a.url, browser, 'alice');
    const id = session();
    const { token } = server.control.calls;
    const before = token.refresh_token;
    server.control.fault('token', fault);
    expect(answerOf(await run())).toEqual({ status, code: CODES[status] });
    // The service does not retry, because a second use of a one-time refresh token would end the session.
    expect(token.refresh_token).toBe(before + 1);
    server.control.fault('token', undefined);
    const page = await browser.send(`${chain.a.url}/run-service-b`);
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('<strong>alice</strong>')]);
    expect(session()).toBe(id);
  });

  it('ends the session if Keycloak answers 400 invalid_grant (BF-08)', async () => {
    await logInAt(chain.a.url, browser, 'alice');
    server.control.fault('token', { kind: 'answer', status: 400, body: { error: 'invalid_grant' } });
    expect(answerOf(await run())).toEqual({ status: 401, code: 'missing_token' });
    server.control.fault('token', undefined);
    expect(session()).toBeUndefined();
  });
});

describe('a lost answer of Keycloak', () => {
  it('causes 503 at a refresh, and ends the session because the new refresh token is lost (BF-08)', async () => {
    await logInAt(chain.a.url, browser, 'alice');
    server.control.fault('token', { kind: 'truncated' });
    expect(answerOf(await run())).toEqual({ status: 503, code: CODES[503] });
    expect(session()).toBeDefined();
    server.control.fault('token', undefined);
    expect(answerOf(await run())).toEqual({ status: 401, code: 'missing_token' });
  });

  it('causes 503 at a login, after which the user can start another login (RS-14)', async () => {
    const callback = await callbackOf(chain.a.url, browser, 'alice');
    server.control.fault('token', { kind: 'truncated' });
    expect(answerOf(await browser.send(callback, asJson))).toEqual({ status: 503, code: CODES[503] });
    server.control.fault('token', undefined);
    expect((await logInAt(chain.a.url, browser, 'alice')).status).toBe(303);
  });
});

describe('a login', () => {
  it.each(FAULTS)('does not blame the user if Keycloak answers %s (RS-14)', async (_, fault, status) => {
    const callback = await callbackOf(chain.a.url, browser, 'alice');
    server.control.fault('token', fault);
    expect(answerOf(await browser.send(callback, asJson))).toEqual({ status, code: CODES[status] });
    expect(session()).toBeUndefined();
    server.control.fault('token', undefined);
    await logInAt(chain.a.url, browser, 'alice');
    expect(session()).toBeDefined();
  });

  it('is answered with the Retry-After header that Keycloak has sent', async () => {
    const callback = await callbackOf(chain.a.url, browser, 'alice');
    server.control.fault('token', { kind: 'status', status: 429, retryAfter: 7 });
    expect((await browser.send(callback, asJson)).headers.get('retry-after')).toBe('7');
  });
});

describe('a login while Keycloak is away', () => {
  it.each([
    ['text/html', /<h1>The login did not finish<\/h1>[^]*Keycloak did not answer/],
    ['application/json', /"code":"authorization_server_unavailable"/],
  ])('is answered 503 by Service A, and not redirected to the unreachable Keycloak: %s', async (accept, body) => {
    // Service A fetches the discovery metadata at most once per second.
    await sleep(1100);
    server.control.fault('discovery', { kind: 'reset' });
    try {
      const response = await fetch(`${chain.a.url}/auth/login`, { redirect: 'manual', headers: { accept } });
      expect(response.status).toBe(503);
      expect(await response.text()).toMatch(body);
    } finally {
      server.control.fault('discovery', undefined);
    }
    await sleep(1100);
    expect((await fetch(`${chain.a.url}/auth/login`, { redirect: 'manual' })).status).toBe(303);
  });
});
