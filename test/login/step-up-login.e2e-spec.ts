import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { OpenIdProvider } from '../../apps/service-a/src/login/openid-provider.js';
import { UserSessions } from '../../apps/service-a/src/login/user-sessions.js';
import { Browser, locationOf, type Page } from '../../libs/keycloak-test-servers/contract/browser.js';
import {
  claimsOf,
  keycloakReachesUs,
  keycloakUrl,
  publicUrl,
} from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { introspect, login as tokensOf, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { RunningServices } from '../support/running-services.js';

const CHALLENGE = 'Bearer realm="service-a", error="insufficient_user_authentication", acr_values="2", max_age="300"';
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };
const FORM_OF_NAME = 'Sign in to your account';

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
const isCallback = (next: string): boolean => next.includes('/auth/callback');
const sessionIn = (by = browser): string | undefined => by.cookie(publicUrl, 'session');
const refundPage = (by = browser): Promise<Page> => by.send(at('/refund'));
const home = (by = browser): Promise<Page> => by.send(at('/'));
const csrfTokenIn = ({ text }: Page): string => /name="csrf_token" value="([^"]+)"/.exec(text)?.[1] ?? '';

async function upToCallback(address: string, user = 'alice'): Promise<{ callback: string; forms: readonly string[] }> {
  const forms: string[] = [];
  let page = await browser.open(address, {}, isCallback);
  for (let filled = 0; filled < 2 && page.text.includes('id="kc-form-login"'); filled += 1) {
    forms.push(page.text.includes(FORM_OF_NAME) ? 'name' : 'password');
    page = await browser.submitLogin(page, user);
  }
  return { callback: locationOf(page) ?? '', forms };
}

async function logIn(path = '/auth/login', user = 'alice'): Promise<Page> {
  return browser.send((await upToCallback(at(path), user)).callback);
}

async function stepUp(): Promise<Page> {
  const { callback } = await upToCallback(locationOf(await refundPage()) ?? '');
  return browser.send(callback);
}

/** Simulates a logout at Keycloak in another tab. */
const leaveKeycloak = (): boolean => browser.cookies.delete(new URL(keycloakUrl()).origin);

const refund = (csrfToken: string, by = browser): Promise<Page> =>
  by.send(at('/refund'), { method: 'POST', headers: SAME_ORIGIN, form: { csrf_token: csrfToken } });

describe('a page that requires a stronger login', () => {
  it('redirects to the login, and then lets the user run the chain (RS-11)', async () => {
    await logIn();
    const refused = await refundPage();
    expect([refused.status, refused.headers.get('location')]).toEqual([
      303,
      '/auth/login?acr_values=2&max_age=300&return_to=%2Frefund',
    ]);
    const toKeycloak = await browser.send(locationOf(refused) ?? '');
    const asked = new URL(locationOf(toKeycloak) ?? '').searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({ acr_values: '2', max_age: '300', login_hint: 'alice' });
    const { callback, forms } = await upToCallback(locationOf(toKeycloak) ?? '');
    // Keycloak shows only one form, because the user has logged in before.
    expect(forms).toEqual(['password']);
    const back = await browser.send(callback);
    expect([back.status, locationOf(back)]).toEqual([303, at('/refund')]);
    const form = await refundPage();
    expect([form.status, form.text]).toEqual([200, expect.stringContaining('Refund it')]);
    const done = await refund(csrfTokenIn(form));
    expect([done.status, done.text]).toEqual([200, expect.stringContaining('Order 9876 refunded by Service B')]);
    expect(done.text).toContain('Service C successfully processed request');
  });

  it('accepts further requests after the stronger login, even if a token exchange lowers the level at Keycloak', async () => {
    await logIn();
    await stepUp();
    for (let round = 0; round < 2; round += 1) {
      const form = await refundPage();
      expect([form.status, (await refund(csrfTokenIn(form))).status]).toEqual([200, 200]);
    }
    const session = await chain.a.app.get(UserSessions).find(sessionIn());
    const { accessToken = '' } = session?.tokens.reveal() ?? {};
    expect(claimsOf(accessToken)['acr']).toBe('2');
    expect((await introspect(keycloak, 'service-a', accessToken)).members['acr']).toBe('1');
  });

  it('does not affect an ordinary login, which has only one form', async () => {
    const { callback, forms } = await upToCallback(at('/auth/login'));
    expect([forms, (await browser.send(callback)).status]).toEqual([['name'], 303]);
    const again = await upToCallback(at('/auth/login'));
    expect(again.forms).toEqual([]);
  });

  it('answers an API client with a challenge for a stronger login (RFC 9470 §3)', async () => {
    const headers = {
      Authorization: `Bearer ${textOf(await tokensOf(keycloak, 'alice'))}`,
      Accept: 'application/json',
    };
    const { status, headers: answered, text } = await new Browser().send(at('/refund'), { headers });
    expect([status, answered.get('www-authenticate')]).toEqual([401, CHALLENGE]);
    expect(JSON.parse(text)).toMatchObject({
      code: 'insufficient_user_authentication',
      acrValues: ['2'],
      maxAgeSeconds: 300,
    });
  });
});

describe('the session at a stronger login', () => {
  it('gets a new id and a new CSRF token, so that the former id is invalid (BF-05)', async () => {
    await logIn();
    const [former, formerToken] = [sessionIn(), csrfTokenIn(await home())];
    await stepUp();
    expect(sessionIn()).toMatch(/^[\w-]{43}$/);
    expect(sessionIn()).not.toBe(former);
    expect(csrfTokenIn(await home())).not.toBe(formerToken);
    const thief = await new Browser().send(at('/run-service-b'), { headers: { cookie: `session=${former}` } });
    expect(thief.status).toBe(401);
    const [sessions, provider] = [chain.a.app.get(UserSessions), chain.a.app.get(OpenIdProvider)];
    const session = await sessions.find(sessionIn());
    const refreshed = session && (await provider.refresh(session.tokens, session.subject));
    if (refreshed === undefined || !('tokens' in refreshed)) throw new Error('not refreshed');
    expect(claimsOf(refreshed.tokens.reveal().accessToken)).toMatchObject({
      acr: '2',
      auth_time: session?.authentication?.authTime,
    });
  });

  it("is unchanged if a user removes the level from the login's address (RFC 9470 §5)", async () => {
    await logIn();
    const before = sessionIn();
    const toKeycloak = await browser.send(locationOf(await refundPage()) ?? '');
    const address = new URL(locationOf(toKeycloak) ?? '');
    for (const name of ['acr_values', 'max_age']) address.searchParams.delete(name);
    const { callback, forms } = await upToCallback(address.href);
    expect(forms).toEqual([]);
    const back = await browser.send(callback);
    expect([back.status, back.text]).toEqual([
      400,
      expect.stringContaining('The login was not strong or recent enough'),
    ]);
    expect(sessionIn()).toBe(before);
    expect((await browser.send(at('/run-service-b'))).status).toBe(200);
    await expect(refundPage()).resolves.toMatchObject({ status: 303 });
  });

  it('is unchanged if another user logs in at Keycloak (RFC 9470 §5)', async () => {
    await logIn();
    const before = sessionIn();
    const toKeycloak = await browser.send(locationOf(await refundPage()) ?? '');
    leaveKeycloak();
    const { callback, forms } = await upToCallback(locationOf(toKeycloak) ?? '', 'bob');
    expect(forms).toEqual(['name', 'password']);
    const back = await browser.send(callback);
    expect([back.status, back.text]).toEqual([400, expect.stringContaining('Another user logged in')]);
    expect(sessionIn()).toBe(before);
    expect((await home()).text).toContain('Logged in as <strong>alice</strong>');
    expect(chain.printed()).not.toMatch(/audit.*step_up.*bob/);
  });

  it("is not replaced by another user's session, even if the first session has already ended", async () => {
    await logIn();
    const toKeycloak = await browser.send(locationOf(await refundPage()) ?? '');
    leaveKeycloak();
    browser.setCookie(publicUrl, 'session', '');
    const { callback } = await upToCallback(locationOf(toKeycloak) ?? '', 'bob');
    const back = await browser.send(callback);
    expect([back.status, back.text]).toEqual([400, expect.stringContaining('Another user logged in')]);
    expect((await home()).text).not.toContain('Logged in as');
  });

  it('is not replaced if another user has logged in meanwhile in another tab', async () => {
    await logIn();
    const toKeycloak = await browser.send(locationOf(await refundPage()) ?? '');
    const { callback } = await upToCallback(locationOf(toKeycloak) ?? '');
    leaveKeycloak();
    await logIn('/auth/login', 'bob');
    const back = await browser.send(callback);
    expect([back.status, back.text]).toEqual([400, expect.stringContaining('Another user logged in')]);
    expect((await home()).text).toContain('Logged in as <strong>bob</strong>');
  });

  it('is created only once, because the callback cannot be used again (BF-01)', async () => {
    await logIn();
    const { callback } = await upToCallback(locationOf(await refundPage()) ?? '');
    const cookies = new Map(browser.cookies.get(publicUrl));
    expect((await browser.send(callback)).status).toBe(303);
    const stranger = new Browser();
    for (const [name, value] of cookies) stranger.setCookie(publicUrl, name, value);
    await expect(stranger.send(callback)).resolves.toMatchObject({ status: 400 });
  });
});

describeWhereKeycloakReachesUs('a session after a stronger login', () => {
  it('ends at a logout at Keycloak (BF-09)', async () => {
    const username = await keycloak.newUser('order-manager');
    await logIn('/auth/login', username);
    const { callback } = await upToCallback(locationOf(await refundPage()) ?? '', username);
    await browser.send(callback);
    expect((await refundPage()).status).toBe(200);
    await keycloak.logOutUser(username);
    expect((await home()).text).not.toContain(username);
    await expect(refundPage()).resolves.toMatchObject({ status: 401 });
  });
});

describe('a login link', () => {
  it.each([
    'acr_values=3',
    'acr_values=2%203',
    'acr_values=',
    'acr_values=2&acr_values=2',
    'max_age=-1',
    'max_age=86401',
    'max_age=1e3',
    'max_age=300&max_age=300',
  ])('is refused with %s', async (query) => {
    const page = await browser.send(at(`/auth/login?${query}`));
    expect([page.status, page.headers.get('location')]).toEqual([400, null]);
    expect(page.text).toContain('This login is not possible');
    expect([...(browser.cookies.get(publicUrl)?.keys() ?? [])]).toEqual([]);
  });

  it('creates a session with the requested level for a user without a session', async () => {
    const { callback, forms } = await upToCallback(at('/auth/login?acr_values=2&return_to=/refund'));
    expect(forms).toEqual(['name', 'password']);
    expect((await browser.send(callback)).status).toBe(303);
    expect((await refundPage()).status).toBe(200);
  });
});

describe('a browser after a login that was too weak', () => {
  it('gets a page that explains the refusal, and is not redirected again', async () => {
    await logIn();
    expect((await logIn('/auth/login?acr_values=1&return_to=/refund')).status).toBe(303);
    const page = await refundPage();
    expect([page.status, page.headers.get('location'), page.text]).toEqual([
      401,
      null,
      expect.stringContaining('that login was not strong or recent enough'),
    ]);
    expect(page.text).toContain('href="/auth/login?acr_values=2&amp;max_age=300&amp;return_to=%2Frefund"');
  });
});

describe('a form that requires a stronger login', () => {
  it('is not sent automatically after the login, and the next page says so', async () => {
    await logIn();
    const { calls, result: refused } = await chain.keycloak.during(async () => refund(csrfTokenIn(await home())));
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, CHALLENGE]);
    expect(calls.filter(({ endpoint }) => endpoint === 'token')).toEqual([]);
    const link = /href="(\/auth\/login\?acr_values[^"]+)"/.exec(refused.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const { result: back, calls: during } = await chain.keycloak.during(() => logIn(link));
    expect([back.status, locationOf(back)]).toEqual([303, at('/refund?not_sent=true')]);
    expect(during.filter(({ form }) => form.get('scope')?.includes('orders.approve') === true)).toEqual([]);
    const form = await browser.send(locationOf(back) ?? '');
    expect([form.status, form.text]).toEqual([200, expect.stringContaining('Nothing was sent.')]);
    expect((await refund(csrfTokenIn(form))).status).toBe(200);
  });
});
