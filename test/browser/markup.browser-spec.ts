/** A user of Keycloak whose names hold markup: on every page they are text, and nothing of them runs. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Page } from 'playwright-core';
import { answered, callServiceB, Chromium, fillLogin } from '../support/chromium.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { PUBLIC_URL_WITHIN_MS } from '../support/running-service.js';
import { RunningServices } from '../support/running-services.js';

jest.setTimeout(60_000);

/** All in lower case, as Keycloak keeps user names. */
const MARKUP = `"'><img src=x onerror="document.title='ran'"><script>document.title='ran'</script>&lt;b>`;

interface Profile {
  readonly attributes: readonly { readonly name: string; readonly validations?: Readonly<Record<string, unknown>> }[];
}

let chain: RunningServices;
let keycloak: ContractServer;
let chromium: Chromium;
let username: string;
let userPath: string | undefined;
/** What is to be put back. */
let profile: Profile | undefined;

/** Keycloak takes no such name unless the realm's profile of a user says that it may; the embedded server has no profile. */
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

beforeAll(async () => {
  chain = await RunningServices.start({ publicUrl });
  keycloak = await connectToKeycloak();
  chromium = await Chromium.start();
  const { administrator } = keycloak;
  await allowMarkup();
  username = `${randomUUID().slice(0, 8)}${MARKUP}`;
  const path = await administrator.create('/users', {
    username,
    firstName: MARKUP,
    lastName: MARKUP,
    email: `${randomUUID()}@example.com`,
    enabled: true,
    credentials: [{ type: 'password', value: username, temporary: false }],
  });
  await administrator.change('POST', `${path}/role-mappings/realm`, [await administrator.read('/roles/order-manager')]);
  userPath = path;
}, PUBLIC_URL_WITHIN_MS + 60_000);
afterAll(async () => {
  await chromium.stop();
  if (userPath !== undefined) await keycloak.administrator.change('DELETE', userPath);
  if (profile !== undefined) await keycloak.administrator.change('PUT', '/users/profile', profile);
  await keycloak.stop();
  await chain.stop();
});
// A script that only the policy of the page had stopped would be complained of here.
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
])('a name that holds markup, %s', (_, options) => {
  it('is shown as it is, at the start, with what the chain answers and with what tokens say (BF-11)', async () => {
    const page = await chromium.open(options);
    await page.goto('/');
    await page.getByRole('link', { name: 'Log in', exact: true }).click();
    await fillLogin(page, username);
    await page.waitForURL(`${publicUrl}/`);
    await expectText(page, await page.locator('main').innerText());
    const text = await callServiceB(page, `Call Service B as ${username}`);
    expect(text).toContain(`Called as ${username}`);
    await expectText(page, text);
    // Where tokens are told side by side, of which some may be folded away.
    expect(await page.locator('main').textContent()).toContain('preferred_username');
    await page.goto('/run-service-b');
    await expectText(page, await answered(page));
  });
});
