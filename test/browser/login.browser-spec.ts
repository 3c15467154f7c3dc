import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { TokenLeakScanner } from 'nestjs-keycloak-s2s/testing';
import type { Page } from 'playwright-core';
import { callServiceB, Chromium, fillLogin, logIn } from '../support/chromium.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { keycloakReachesUs, keycloakUrl, publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { RunningServices } from '../support/running-services.js';

const describeWhereKeycloakReachesUs = keycloakReachesUs ? describe : describe.skip;

let chain: RunningServices;
let keycloak: ContractServer;
let chromium: Chromium;

beforeAll(async () => {
  chain = await RunningServices.start({ publicUrl });
  keycloak = await connectToKeycloak();
  chromium = await Chromium.start();
});
afterAll(async () => {
  await chromium.stop();
  await keycloak.stop();
  await chain.stop();
});
afterEach(() => chromium.closeClean(chain.scanner));

const link = (page: Page, name: string) => page.getByRole('link', { name, exact: true });
const logOut = (page: Page): Promise<void> => page.getByRole('button', { name: 'Log out', exact: true }).click();
const main = (page: Page): Promise<string> => page.locator('main').innerText();
const home = (page: Page): Promise<unknown> => page.goto('/');

async function loginForm(page: Page): Promise<string> {
  await page.locator('#kc-login').waitFor();
  return new URL(page.url()).origin;
}
const originOfKeycloak = (): string => new URL(keycloakUrl()).origin;

describe.each([
  ['with scripts', {}],
  ['without scripts', { javaScriptEnabled: false }],
])('the demonstration, %s', (_, options) => {
  it('lets an anonymous user run the chain as service-a', async () => {
    const page = await chromium.open(options);
    await home(page);
    const text = await callServiceB(page, 'Call Service B');
    expect(text).toContain('Called as service-a');
    expect(text).toContain('Order 9876 processed by Service B');
    expect(text).toMatch(/Service C successfully processed request.*\b20\b/);
  });

  it('runs the chain as alice after alice logs in', async () => {
    const page = await chromium.open(options);
    await logIn(page, 'alice');
    expect(await main(page)).toContain('Logged in as alice');
    const text = await callServiceB(page, 'Call Service B as alice');
    expect(text).toContain('Called as alice');
    expect(text).toContain('Order 9876 processed by Service B');
  });

  it('shows bob which permission is missing after bob logs in', async () => {
    const page = await chromium.open(options);
    await logIn(page, 'bob');
    const answer = page.waitForResponse('**/run-service-b');
    const text = await callServiceB(page, 'Call Service B as bob');
    expect((await answer).status()).toBe(403);
    expect(text).toContain('Refused with 403');
    expect(text).toContain('Permission orders.approve is missing.');
  });

  it('logs alice out at Service A and Keycloak, which then requires her password (BF-09)', async () => {
    const page = await chromium.open(options);
    await logIn(page, 'alice');
    await logOut(page);
    await page.waitForURL(`${publicUrl}/`);
    await link(page, 'Log in').click();
    expect(await loginForm(page)).toBe(originOfKeycloak());
  });
});

describe.each([
  ['with scripts', {}],
  ['without scripts', { javaScriptEnabled: false }],
])('the buttons of the demonstration, %s', (_, options) => {
  const nameInForm = (page: Page) => page.locator('#username').inputValue();
  async function logInAs(page: Page, username: string): Promise<void> {
    await link(page, `Log in as ${username}`).click();
    await loginForm(page);
    expect(await nameInForm(page)).toBe(username);
    await page.locator('#password').fill(username);
    await page.locator('#kc-login').click();
    await page.waitForURL(`${publicUrl}/`);
  }

  it('switch between alice and bob, with a login at Keycloak each time', async () => {
    const page = await chromium.open(options);
    await home(page);
    expect(await main(page)).toMatch(/alice\s+manages orders[^]*bob\s+may only view orders/);
    for (const user of ['alice', 'bob', 'alice']) {
      await logInAs(page, user);
      expect(await main(page)).toContain(`Logged in as ${user}`);
    }
  });

  it('switch the user even if only Keycloak has a session', async () => {
    const page = await chromium.open(options);
    await home(page);
    await logInAs(page, 'alice');
    await page.context().clearCookies({ name: 'session' });
    await home(page);
    await logInAs(page, 'bob');
    expect(await main(page)).toContain('Logged in as bob');
  });

  it('suggest a user name at the login, and accept another user name', async () => {
    const page = await chromium.open(options);
    await home(page);
    await link(page, 'Log in as bob').click();
    await fillLogin(page, 'alice');
    await loginForm(page);
    expect(await nameInForm(page)).toBe('bob');
    await fillLogin(page, 'alice');
    await page.waitForURL(`${publicUrl}/`);
    expect(await main(page)).toContain('Logged in as alice');
  });

  it("show bob the claims of his token after a service has refused bob's call", async () => {
    const page = await chromium.open(options);
    await home(page);
    await logInAs(page, 'bob');
    await callServiceB(page, 'Call Service B as bob');
    const tokens = page.locator('.tokens');
    if ((await tokens.getAttribute('open')) === null) await tokens.locator('> summary').click();
    expect(await main(page)).toMatch(/The token at Service A[^]*preferred_username[^]*bob[^]*aud[^]*service-a/);
  });
});

describeWhereKeycloakReachesUs('a session that an administrator ended', () => {
  it('has ended at the next click, without a call to Keycloak (BF-09)', async () => {
    const username = await keycloak.newUser('order-manager');
    const page = await chromium.open();
    await logIn(page, username);
    await keycloak.logOutUser(username);
    const { result, calls } = await chain.keycloak.during(() => home(page).then(() => main(page)));
    expect(result).not.toContain(username);
    expect(calls).toEqual([]);
    await link(page, 'Log in').click();
    expect(await loginForm(page)).toBe(originOfKeycloak());
  });
});

describe('a session that Keycloak ended', () => {
  it('is answered with 401, and a new login returns to the chain', async () => {
    const username = await keycloak.newUser('order-manager');
    const page = await chromium.open();
    await logIn(page, username);
    await keycloak.logOutUser(username);
    const answer = await page.goto('/run-service-b');
    expect(answer?.status()).toBe(401);
    await link(page, 'Log in').click();
    await fillLogin(page, username);
    await page.waitForURL('**/run-service-b');
    expect(await main(page)).toContain(`Called as ${username}`);
  });
});

describe('a start page after Keycloak has ended the session', () => {
  it.each([
    ['the chain', (page: Page) => page.getByRole('link', { name: /^Call Service B as / }).click()],
    [
      'an attack',
      async (page: Page) => {
        await page.getByText(/^Forged or misused/).click();
        await page.getByRole('button', { name: 'Try: No token at all' }).click();
      },
    ],
    ['all attacks', (page: Page) => page.getByRole('button', { name: /^Run all/ }).click()],
  ])('reports the end of the session when the user runs %s (BF-09)', async (_, run) => {
    const username = await keycloak.newUser('order-manager');
    const page = await chromium.open();
    await logIn(page, username);
    await keycloak.logOutUser(username);
    const before = chromium.exchanges.length;
    await run(page);
    await page.getByText('Refused with 401').waitFor();
    const text = await main(page);
    expect(text).not.toContain(username);
    await expect(page.getByRole('button').count()).resolves.toBe(0);
    expect(chromium.exchanges.slice(before)).toHaveLength(1);
    await link(page, 'Log in').click();
    expect(await loginForm(page)).toBe(originOfKeycloak());
  });
});

describe('two tabs of one browser', () => {
  it('can both log in at the same time (BF-12)', async () => {
    const first = await chromium.open();
    const second = await first.context().newPage();
    for (const page of [first, second]) {
      await home(page);
      await link(page, 'Log in').click();
      await loginForm(page);
    }
    await fillLogin(first, 'alice');
    await first.waitForURL(`${publicUrl}/`);
    // Keycloak's form may notice the login in the first tab, and then need no password.
    await second.waitForURL(`${publicUrl}/`, { timeout: 5000 }).catch(() => fillLogin(second, 'alice'));
    await second.waitForURL(`${publicUrl}/`);
    for (const page of [first, second]) {
      await home(page);
      expect(await main(page)).toContain('Logged in as alice');
    }
  });
});

describe('the browser of a user', () => {
  it('stores only a session id, and receives no token between login and logout (BF-07)', async () => {
    const page = await chromium.open();
    const [seenBefore, knownBefore] = [chromium.exchanges.length, chain.scanner.knownCount];
    await logIn(page, 'alice');
    const cookies = await page.context().cookies(publicUrl);
    expect(cookies.map(({ name, httpOnly }) => [name, httpOnly])).toEqual([['session', true]]);
    await callServiceB(page, 'Call Service B as alice');
    await home(page);
    await logOut(page);
    await page.waitForURL(`${publicUrl}/`);
    expect(chain.scanner.knownCount - knownBefore).toBeGreaterThanOrEqual(6);
    const paths = chromium.exchanges.slice(seenBefore).map(({ method, url }) => `${method} ${new URL(url).pathname}`);
    expect(paths).toEqual(expect.arrayContaining(['GET /auth/callback', 'GET /run-service-b', 'POST /auth/logout']));
    await expect(chromium.closeClean(chain.scanner)).resolves.toBeUndefined();
  });

  it('is observed by a scanner that finds tokens and forbidden styles in pages', async () => {
    const page = await chromium.open();
    const { access_token: token } =
      chain.keycloak.calls.findLast(({ answer }) => 'access_token' in answer)?.answer ?? {};
    await home(page);
    await page.evaluate(
      `localStorage.setItem('kept', '${String(token)}'); sessionStorage.setItem('kept', '${String(token)}')`,
    );
    await page.evaluate(`document.cookie = 'kept=${String(token)}'; console.info('${String(token)}')`);
    await page.evaluate(
      `document.body.append(Object.assign(document.createElement('style'), { textContent: 'p {}' }))`,
    );
    const stranger = await chromium.open();
    await stranger.goto('http://elsewhere.example/');
    // A separate scanner finds the leaks that this test causes on purpose.
    const scanner = TokenLeakScanner.start();
    const complaints = await chromium.close(scanner);
    scanner.stop();
    expect(complaints).toContainEqual(expect.stringMatching(/^Violates the content security policy: style-src/));
    expect(complaints).toContain('Asks elsewhere: http://elsewhere.example/');
    for (const where of ['console', 'local storage', 'session storage', 'cookie kept']) {
      expect(scanner.leaks()).toContainEqual(expect.objectContaining({ where: expect.stringContaining(where) }));
    }
  });
});
