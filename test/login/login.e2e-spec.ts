import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { OpenIdProvider } from '../../apps/service-a/src/login/openid-provider.js';
import { UserSessions } from '../../apps/service-a/src/login/user-sessions.js';
import { Browser, locationOf, type Page } from '../../libs/keycloak-test-servers/contract/browser.js';
import {
  keycloakReachesUs,
  keycloakUrl,
  publicUrl,
  issuer,
} from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { isActive } from '../../libs/keycloak-test-servers/contract/observations.js';
import {
  clientCredentials,
  introspect,
  login as tokensOf,
  textOf,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { RunningServices } from '../support/running-services.js';

const SESSION = 'session';
const CHAIN_ANSWER = /Order 9876 processed by Service B/;

const describeWhereKeycloakReachesUs = keycloakReachesUs ? describe : describe.skip;

let chain: RunningServices;
let keycloak: ContractServer;
let browser: Browser;

beforeAll(async () => {
  chain = await RunningServices.start({ publicUrl });
  keycloak = await connectToKeycloak();
});
afterAll(async () => {
  await keycloak.stop();
  await chain.stop();
});
beforeEach(() => {
  browser = new Browser();
});

const at = (path: string): string => publicUrl + path;
const atA = (next: string): boolean => next.startsWith(publicUrl);

async function loginUpToCallback(user: string, path = '/auth/login', by = browser): Promise<string> {
  const form = await by.open(at(path), {}, (next) => next.includes('/auth/callback'));
  const answered = form.status === 200 ? await by.submitLogin(form, user) : form;
  return locationOf(answered) ?? '';
}

async function login(user: string, path?: string, by = browser): Promise<Page> {
  return by.send(await loginUpToCallback(user, path, by));
}

const sessionOf = (by = browser): string | undefined => by.cookie(publicUrl, SESSION);
const home = (by = browser): Promise<Page> => by.send(at('/'));
const csrfTokenIn = ({ text }: Page): string => /name="csrf_token" value="([^"]+)"/.exec(text)?.[1] ?? '';
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };

async function logout(by = browser): Promise<Page> {
  const form = { csrf_token: csrfTokenIn(await home(by)) };
  return by.send(at('/auth/logout'), { method: 'POST', headers: SAME_ORIGIN, form });
}

const recordOn = (line: string): Record<string, unknown>[] =>
  line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : [];

describe('a login', () => {
  it('uses the code flow, PKCE S256, and a new state and nonce each time (BF-01)', async () => {
    const [one, other] = [await browser.send(at('/auth/login')), await browser.send(at('/auth/login'))];
    const [first, second] = [one, other].map((page) => new URL(locationOf(page) ?? '').searchParams);
    expect(one.status).toBe(303);
    expect(one.headers.get('cache-control')).toBe('no-store');
    expect(Object.fromEntries(first ?? [])).toMatchObject({
      response_type: 'code',
      client_id: 'service-a',
      scope: 'openid orders.read attacks.run',
      redirect_uri: at('/auth/callback'),
      code_challenge_method: 'S256',
    });
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(first?.get(name)).toMatch(/^[\w-]{43}$/);
      expect(first?.get(name)).not.toBe(second?.get(name));
    }
  });

  it("lets alice run the chain, and the pages show alice's name (BF-07)", async () => {
    const back = await login('alice', '/auth/login?return_to=/run-service-b');
    expect([back.status, locationOf(back)]).toEqual([303, at('/run-service-b')]);
    const page = await browser.send(at('/run-service-b'));
    expect([page.status, page.text]).toEqual([200, expect.stringMatching(CHAIN_ANSWER)]);
    expect(page.text).toContain('<strong>alice</strong>');
    expect(page.headers.get('cache-control')).toBe('no-store');
    await expect(home()).resolves.toMatchObject({
      text: expect.stringContaining('Logged in as <strong>alice</strong>'),
    });
  });

  it('shows bob the permission that he lacks for the chain', async () => {
    await login('bob');
    const page = await browser.send(at('/run-service-b'));
    expect(page.status).toBe(403);
    expect(page.text).toContain('Permission orders.approve is missing.');
    const json = await browser.send(at('/run-service-b'), { headers: { Accept: 'application/json' } });
    expect(JSON.parse(json.text)).toMatchObject({ code: 'insufficient_scope', permission: 'orders.approve' });
    const records = chain.printed().split('\n').flatMap(recordOn);
    const { sub } = records.findLast(({ audit }) => audit === 'login') ?? {};
    expect(records.findLast(({ audit }) => audit === 'denial')).toMatchObject({
      permission: 'orders.approve',
      iss: keycloak.issuer,
      azp: 'service-a',
      sub,
    });
  });

  it('sends no token, code or secret to the browser or to the log (BF-07)', async () => {
    const before = chain.scanner.knownCount;
    await login('alice');
    await browser.send(at('/run-service-b'));
    const session = sessionOf() ?? '';
    await browser.open(locationOf(await logout()) ?? '');
    // Keycloak issues three tokens and a code, and one exchanged token per called service.
    expect(chain.scanner.knownCount - before).toBeGreaterThanOrEqual(6);
    const cookies = [...browser.cookies.values()].map((jar) => [...jar]);
    // Looks only for known tokens, because Keycloak's own cookies look like tokens.
    chain.scanner.inspect('the browser', JSON.stringify([browser.seen, cookies]), { onlyKnown: true });
    expect(chain.scanner.leaks()).toEqual([]);
    expect(chain.printed()).not.toContain(session);
  });

  it('can be finished only once, and only in the browser that started it (BF-01)', async () => {
    const callback = await loginUpToCallback('alice');
    const stranger = new Browser();
    const refused = await stranger.send(callback);
    expect([refused.status, sessionOf(stranger)]).toEqual([400, undefined]);
    expect(refused.text).toContain('The login did not finish');
    const cookies = new Map(browser.cookies.get(publicUrl));
    expect((await browser.send(callback)).status).toBe(303);
    expect(sessionOf()).toBeDefined();
    for (const [name, value] of cookies) stranger.setCookie(publicUrl, name, value);
    await expect(stranger.send(callback)).resolves.toMatchObject({ status: 400 });
    expect(sessionOf(stranger)).toBeUndefined();
  });

  it.each<[string, (url: URL) => void]>([
    ['another state', (url) => url.searchParams.set('state', 'x'.repeat(43))],
    ['no state', (url) => url.searchParams.delete('state')],
    ['two states', (url) => url.searchParams.append('state', 'x')],
    ['another iss (BF-02)', (url) => url.searchParams.set('iss', 'https://evil.example')],
    ['no iss (BF-02)', (url) => url.searchParams.delete('iss')],
    ['another code', (url) => url.searchParams.set('code', 'x.y.z')],
    ['an error of Keycloak', (url) => url.searchParams.set('error', 'access_denied')],
  ])('creates no session for a callback with %s (BF-01)', async (_, bend) => {
    const url = new URL(await loginUpToCallback('alice'));
    bend(url);
    const page = await browser.send(url.href);
    expect([page.status, sessionOf()]).toEqual([400, undefined]);
    expect(page.headers.get('cache-control')).toBe('no-store');
  });

  it('creates no session if the code belongs to another login of the same browser (BF-01)', async () => {
    const [one, other] = [new URL(await loginUpToCallback('alice')), new URL(await loginUpToCallback('alice'))];
    one.searchParams.set('code', other.searchParams.get('code') ?? '');
    await expect(browser.send(one.href)).resolves.toMatchObject({ status: 400 });
    expect(sessionOf()).toBeUndefined();
  });

  it.each(['//evil.example', '/\\evil.example', '%2f%2fevil.example', 'javascript:alert(1)', '/%0d%0aSet-Cookie:x=y'])(
    'returns to the start page if return_to is %s (BF-03)',
    async (path) => {
      const back = await login('alice', `/auth/login?return_to=${encodeURIComponent(path)}`);
      expect(new URL(locationOf(back) ?? '').origin).toBe(new URL(publicUrl).origin);
      expect(back.headers.get('location')).toMatch(/^\/(%0d%0aSet-Cookie:x=y)?$/i);
    },
  );

  it('lets two tabs log in at the same time (BF-12)', async () => {
    const [first, second] = [await browser.send(at('/auth/login')), await browser.send(at('/auth/login?return_to=/x'))];
    const form = await browser.open(locationOf(first) ?? '');
    const one = await browser.send(locationOf(await browser.submitLogin(form, 'alice')) ?? '');
    const two = await browser.send(locationOf(await browser.open(locationOf(second) ?? '', {}, atA)) ?? '');
    expect([locationOf(one), locationOf(two)]).toEqual([at('/'), at('/x')]);
    expect((await home()).text).toContain('Logged in as <strong>alice</strong>');
  });

  it('keeps only the five newest pending logins of a browser (BF-12)', async () => {
    for (let logins = 0; logins < 8; logins += 1) await browser.send(at('/auth/login'));
    const names = [...(browser.cookies.get(publicUrl)?.keys() ?? [])];
    expect(names.filter((name) => name.startsWith('login-'))).toHaveLength(5);
    await login('alice');
    expect(sessionOf()).toBeDefined();
  });
});

describe('the session', () => {
  it('has a random id in an HttpOnly, SameSite cookie for the whole host (BF-04)', async () => {
    const [line = ''] = (await login('alice')).headers.getSetCookie().filter((one) => one.startsWith(SESSION));
    expect(line).toMatch(/^session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  it('is not found if any character of the session id is changed (BF-04)', async () => {
    await login('alice');
    const id = sessionOf() ?? '';
    const bent = Array.from(
      id,
      (letter, index) => id.slice(0, index) + (letter === 'A' ? 'B' : 'A') + id.slice(index + 1),
    );
    for (const value of [...bent, '', '%', '%00', '"', 'é'.repeat(9), 'x'.repeat(4000)]) {
      const headers = { cookie: `session=${encodeURI(value)}` };
      const start = await new Browser().send(at('/'), { headers });
      expect([start.status, start.text.includes('Logged in as')]).toEqual([200, false]);
      const run = await new Browser().send(at('/run-service-b'), { headers });
      expect(run.status).toBe(401);
    }
  });

  it('gets a new id at each login, whatever session id the browser sent (BF-05)', async () => {
    browser.setCookie(publicUrl, SESSION, 'fixed-by-somebody');
    await login('alice');
    const first = sessionOf();
    expect(first).not.toBe('fixed-by-somebody');
    await login('alice');
    expect(sessionOf()).not.toBe(first);
    const former = await new Browser().send(at('/run-service-b'), { headers: { cookie: `session=${first}` } });
    expect(former.status).toBe(401);
  });

  it('is ignored if the request has an Authorization header', async () => {
    await login('alice');
    const access_token = textOf(await tokensOf(keycloak, 'bob'));
    const asBob = await browser.send(at('/run-service-b'), { headers: { Authorization: `Bearer ${access_token}` } });
    expect(asBob.status).toBe(403);
    const asNobody = await browser.send(at('/run-service-b'), { headers: { Authorization: 'Bearer junk' } });
    expect(asNobody.status).toBe(401);
  });

  it('ends at the next call after Keycloak ended the session without a logout notice', async () => {
    await login('alice');
    const call = chain.keycloak.calls.findLast(({ form }) => form.get('grant_type') === 'authorization_code');
    await keycloak.endSession(String(call?.answer['session_state']));
    const page = await browser.send(at('/run-service-b'));
    expect(page.status).toBe(401);
    expect(page.text).toContain('href="/auth/login?return_to=/run-service-b"');
    expect(sessionOf()).toBeUndefined();
  });

  it('is refreshed at Keycloak until Keycloak ends the session (BF-08)', async () => {
    await login('alice');
    const [sessions, provider] = [chain.a.app.get(UserSessions), chain.a.app.get(OpenIdProvider)];
    const session = await sessions.find(sessionOf());
    if (session?.sessionId === undefined) throw new Error('no session');
    const refreshed = await provider.refresh(session.tokens, session.subject);
    if (!('tokens' in refreshed)) throw new Error('not refreshed');
    expect(isActive(await introspect(keycloak, 'service-a', refreshed.tokens.reveal().accessToken))).toBe(true);
    await keycloak.endSession(session.sessionId);
    await expect(provider.refresh(refreshed.tokens, session.subject)).resolves.toEqual({ refused: true });
  });

  it('gets only answers for its own user during concurrent requests', async () => {
    const expected = new Map<Browser, string>([[new Browser(), 'service-a']]);
    for (const user of ['alice', 'bob', 'alice']) {
      const by = new Browser();
      await login(user, '/auth/login', by);
      expected.set(by, user);
    }
    // Sends few concurrent requests, because each request causes a Keycloak call at every service.
    for (let round = 0; round < 10; round += 1) {
      const askers = Array.from({ length: 20 }, (_, index) => [...expected][(index * 3 + round) % expected.size]);
      const answers = await Promise.all(
        askers.map(async (asker) => {
          const { status, text } = (await asker?.[0].send(at('/run-service-b'))) ?? {};
          if (status === 403) return 'bob';
          return /Called as <strong>([^<]+)</.exec(text ?? '')?.[1] ?? status;
        }),
      );
      expect(answers).toEqual(askers.map((asker) => asker?.[1]));
    }
  });

  it('ends when the user is disabled', async () => {
    const username = await keycloak.newUser('order-viewer');
    await login(username);
    await keycloak.disableUser(username);
    await expect(browser.send(at('/run-service-b'))).resolves.toMatchObject({ status: 401 });
    expect((await home()).text).not.toContain('Logged in as');
  });
});

describe('requests from other sites and browsers', () => {
  it.each<[string, Record<string, string>, boolean]>([
    ['another site', { 'sec-fetch-site': 'cross-site' }, true],
    ['another origin of the site', { 'sec-fetch-site': 'same-site' }, true],
    ['another origin in an older browser', { origin: 'https://evil.example' }, true],
    ['a hidden origin', { origin: 'null' }, true],
    ['an unknown origin', {}, true],
    ['the same origin without the CSRF token', { 'sec-fetch-site': 'same-origin' }, false],
  ])('do not log the user out if they come from %s (BF-06)', async (_, headers, withToken) => {
    await login('alice');
    const form = { csrf_token: withToken ? csrfTokenIn(await home()) : 'x' };
    const refused = await browser.send(at('/auth/logout'), { method: 'POST', headers, form });
    expect([refused.status, refused.headers.get('location')]).toEqual([403, null]);
    expect((await home()).text).toContain('Logged in as');
  });

  it('cannot log out a user with GET, or log in a user with the callback of another browser (BF-06)', async () => {
    await login('alice');
    await expect(browser.send(at('/auth/logout'))).resolves.toMatchObject({ status: 404 });
    const stranger = new Browser();
    const callback = await loginUpToCallback('bob', '/auth/login', stranger);
    await expect(browser.send(callback)).resolves.toMatchObject({ status: 400 });
    expect((await home()).text).toContain('Logged in as <strong>alice</strong>');
  });

  it('get pages whose headers forbid framing, caching and foreign scripts (BF-10)', async () => {
    const anonymous = await home();
    await login('alice');
    const { headers } = await home();
    const csp = (formAction: string): string =>
      `default-src 'none';style-src 'self';img-src 'self';script-src 'self';connect-src 'self';base-uri 'none';form-action ${formAction};frame-ancestors 'none'`;
    const withoutScripts = csp("'self'").replace("script-src 'self';connect-src 'self';", '');
    for (const path of ['/run-service-b', '/health/live', '/page.js']) {
      expect((await browser.send(at(path))).headers.get('content-security-policy')).toBe(withoutScripts);
    }
    expect(anonymous.headers.get('content-security-policy')).toBe(csp("'self'"));
    expect(headers.get('content-security-policy')).toBe(csp(`'self' ${new URL(keycloakUrl()).origin}`));
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'strict-transport-security': expect.stringContaining('max-age='),
    });
  });
});

describe('a logout', () => {
  it('ends the sessions at Service A and Keycloak, without a token in the redirect (BF-09)', async () => {
    await login('alice');
    const id = sessionOf();
    const answer = await logout();
    expect(answer.status).toBe(303);
    const url = new URL(locationOf(answer) ?? '');
    expect(url.origin + url.pathname).toBe(`${issuer()}/protocol/openid-connect/logout`);
    expect(url.searchParams.get('post_logout_redirect_uri')).toBe(at('/'));
    expect(url.searchParams.has('id_token_hint')).toBe(false);
    const code = chain.keycloak.calls.findLast(({ form }) => form.get('grant_type') === 'authorization_code');
    expect(isActive(await introspect(keycloak, 'service-a', String(code?.answer['access_token'])))).toBe(false);
    expect(sessionOf()).toBeUndefined();
    const page = await browser.open(url.href);
    expect([page.url, page.status]).toEqual([at('/'), 200]);
    const former = await new Browser().send(at('/'), { headers: { cookie: `session=${id}` } });
    expect(former.text).not.toContain('Logged in as');
    const form = await browser.open(at('/auth/login'), {}, (next) => next.includes('/auth/callback'));
    expect(form.text).toContain('kc-form-login');
  });

  it('redirects a user without a session to the start page', async () => {
    const answer = await browser.send(at('/auth/logout'), { method: 'POST', headers: SAME_ORIGIN, form: {} });
    expect([answer.status, locationOf(answer)]).toEqual([303, at('/')]);
  });

  it('is refused if the logout token is an ID token, an access token or junk (BF-09)', async () => {
    await login('alice');
    const call = chain.keycloak.calls.findLast(({ form }) => form.get('grant_type') === 'authorization_code');
    const access_token = textOf(await clientCredentials(keycloak, 'service-a', 'orders.approve'));
    for (const token of [call?.answer['id_token'], call?.answer['access_token'], access_token, 'a.b.c', '']) {
      const form = { logout_token: String(token) };
      const refused = await new Browser().send(at('/auth/backchannel-logout'), { method: 'POST', form });
      expect(refused.status).toBe(400);
      expect(refused.headers.get('cache-control')).toBe('no-store');
    }
    expect((await home()).text).toContain('Logged in as <strong>alice</strong>');
  });
});

describeWhereKeycloakReachesUs('a logout at Keycloak', () => {
  it("ends the session of one browser, but not the user's session in another browser (BF-09)", async () => {
    const [here, there] = [new Browser(), new Browser()];
    await login('alice', '/auth/login', here);
    await login('alice', '/auth/login', there);
    const call = chain.keycloak.calls.findLast(({ form }) => form.get('grant_type') === 'authorization_code');
    const out = new URL(`${issuer()}/protocol/openid-connect/logout`);
    out.searchParams.set('id_token_hint', String(call?.answer['id_token']));
    // The browser logs out at Keycloak, so only the logout notice informs Service A.
    await there.send(out.href);
    expect((await home(there)).text).not.toContain('Logged in as');
    await expect(there.send(at('/run-service-b'))).resolves.toMatchObject({ status: 401 });
    expect((await home(here)).text).toContain('Logged in as <strong>alice</strong>');
  });
});
