import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { answered, callServiceB, Chromium, fillLogin, LOOKS, overflow } from '../support/chromium.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { RunningServices } from '../support/running-services.js';

/** Keycloak stores user names in lower case. */
const MARKUP = `"'><img src=x onerror="document.title='ran'"><script>document.title='ran'</script>&lt;b>`;

const LONG = `${randomUUID().slice(0, 8)}.${'maximiliane'.repeat(5)}@example.com`;

interface Profile {
  readonly attributes: readonly { readonly name: string; readonly validations?: Readonly<Record<string, unknown>> }[];
}

let chain: RunningServices;
let keycloak: ContractServer;
let chromium: Chromium;
let username: string;
const userPaths: string[] = [];
let profile: Profile | undefined;

/** Lets user names contain markup; the embedded server always accepts such names. */
async function allowMarkup(): Promise<void> {
  const { administrator } = keycloak;
  const answer = await administrator.ask('GET', '/users/profile');
  if (answer.status === 404) return;
  profile = (await answer.json()) as Profile;
  const attributes = profile.attributes.map(({ validations = {}, ...attribute }) => ({
    ...attribute,
    validations: Object.fromEntries(
      Object.entries(validations).filter(([name]) => !name.endsWith('-prohibited-characters')),
    ),
  }));
  await administrator.change('PUT', '/users/profile', { ...profile, attributes });
}

async function create(name: string): Promise<void> {
  const { administrator } = keycloak;
  const path = await administrator.create('/users', {
    username: name,
    firstName: MARKUP,
    lastName: MARKUP,
    email: `${randomUUID()}@example.com`,
    enabled: true,
    credentials: [{ type: 'password', value: name, temporary: false }],
  });
  await administrator.change('POST', `${path}/role-mappings/realm`, [await administrator.read('/roles/order-manager')]);
  userPaths.push(path);
}

beforeAll(async () => {
  chain = await RunningServices.start({ publicUrl });
  keycloak = await connectToKeycloak();
  chromium = await Chromium.start();
  await allowMarkup();
  username = `${randomUUID().slice(0, 8)}${MARKUP}`;
  await create(username);
  await create(LONG);
});
afterAll(async () => {
  await chromium.stop();
  for (const path of userPaths) await keycloak.administrator.change('DELETE', path);
  if (profile !== undefined) await keycloak.administrator.change('PUT', '/users/profile', profile);
  await keycloak.stop();
  await chain.stop();
});
// `closeClean` also reports a script that the content security policy has blocked.
afterEach(() => chromium.closeClean(chain.scanner));

async function expectText(page: Page, text: string): Promise<void> {
  expect(text).toContain(username);
  await expect(page.locator('main img, main script, main b').count()).resolves.toBe(0);
  const html = await page.content();
  await expect(page.title()).resolves.not.toBe('ran');
  expect(html).not.toContain('<img src=x');
}

describe.each([
  ['with scripts', {}],
  ['without scripts', { javaScriptEnabled: false }],
])('a name that contains markup, %s', (_, options) => {
  it('appears as plain text on the start page, in the answer and in the token claims (BF-11)', async () => {
    const page = await chromium.open(options);
    await page.goto('/');
    await page.getByRole('link', { name: 'Log in', exact: true }).click();
    await fillLogin(page, username);
    await page.waitForURL(`${publicUrl}/`);
    await expectText(page, await page.locator('main').innerText());
    const text = await callServiceB(page, `Call Service B as ${username}`);
    expect(text).toContain(`Called as ${username}`);
    await expectText(page, text);
    // `textContent` includes the text of closed `details` elements.
    expect(await page.locator('main').textContent()).toContain('preferred_username');
    await page.goto('/run-service-b');
    await expectText(page, await answered(page));
  });
});

describe.each([
  ['zoomed', LOOKS['zoomed']],
  // The browser does not emulate a phone, because a phone shrinks a page that is too wide.
  ['in a window of 320 pixels', { viewport: { width: 320, height: 568 } }],
])('a long name, %s', (_, options) => {
  it('fits the window (WCAG 2.2, 1.4.10)', async () => {
    const page = await chromium.open(options);
    await page.goto('/');
    await page.getByRole('link', { name: 'Log in', exact: true }).click();
    await fillLogin(page, LONG);
    await page.waitForURL(`${publicUrl}/`);
    expect(await page.locator('main').innerText()).toContain(`Logged in as ${LONG}`);
    expect(await overflow(page)).toBe(0);
    await page.goto('/run-service-b');
    expect(await answered(page)).toContain(`Called as ${LONG}`);
    expect(await overflow(page)).toBe(0);
  });
});
