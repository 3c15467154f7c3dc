import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { callServiceB, Chromium, logIn } from '../support/chromium.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { RunningServices, ttl } from '../support/running-services.js';

let chain: RunningServices;
let keycloak: ContractServer;
let chromium: Chromium;

beforeAll(async () => {
  chain = await RunningServices.start({ publicUrl, variables: ttl(60) });
  keycloak = await connectToKeycloak();
  chromium = await Chromium.start();
});
afterAll(async () => {
  await chromium.stop();
  await keycloak.stop();
  await chain.stop();
});
afterEach(() => chromium.closeClean(chain.scanner));

async function call(page: Page, name: string): Promise<void> {
  await page.goto('/');
  await callServiceB(page, `Call Service B as ${name}`);
  await page.locator('#chain-result').waitFor();
  const folded = page.locator('.part:not([open]) > summary');
  while ((await folded.count()) > 0) await folded.first().click();
}

const steps = (page: Page): Promise<string[]> => page.locator('#chain-result .step .words').allInnerTexts();
const marked = async (page: Page, mark: string): Promise<number> =>
  (await steps(page)).filter((words) => words.includes(mark)).length;

async function claim(page: Page, name: string): Promise<string[]> {
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: new RegExp(`^${name}\\b`) }) });
  return row.locator('.value').allInnerTexts();
}

describe.each<[string, BrowserContextOptions]>([
  ['with scripts', {}],
  ['without scripts', { javaScriptEnabled: false }],
])('the part "What just happened", %s', (_, options) => {
  it('shows that Services B and C introspect at the first call, and reuse the results later', async () => {
    const page = await chromium.open(options);
    const username = await keycloak.newUser('order-manager');
    await logIn(page, username);
    await call(page, username);
    expect(await steps(page)).toEqual([
      expect.stringMatching(/^The browser asks Service A/),
      expect.stringMatching(/^Service A has seen this token: Keycloak confirmed it/),
      expect.stringMatching(/^Service A asks Keycloak to exchange .* opens Service B/),
      expect.stringMatching(/^Service A calls Service B/),
      expect.stringMatching(/^Service B asks Keycloak whether the token is valid/),
      expect.stringMatching(/^Service B asks Keycloak to exchange .* opens Service C/),
      expect.stringMatching(/^Service B calls Service C/),
      expect.stringMatching(/^Service C asks Keycloak whether the token is valid/),
      expect.stringMatching(/^Service C answers Service B with 200/),
      expect.stringMatching(/^Service B answers Service A with 200/),
      expect.stringMatching(/^Service A answers the browser/),
    ]);
    expect(await marked(page, 'asked Keycloak')).toBe(4);
    await call(page, username);
    expect([await marked(page, 'asked Keycloak'), await marked(page, 'from cache')]).toEqual([0, 5]);
  });

  it('shows one subject and three audiences in the claims of the tokens, but not the tokens', async () => {
    const page = await chromium.open(options);
    await logIn(page, 'alice');
    await call(page, 'alice');
    expect(await claim(page, 'aud')).toEqual(['service-a', 'service-b', 'service-c']);
    expect(await claim(page, 'azp')).toEqual(['service-a', 'service-a', 'service-b']);
    expect(await claim(page, 'preferred_username')).toEqual(['alice', 'alice', 'alice']);
    const subjects = await claim(page, 'sub');
    expect([subjects.length, new Set(subjects).size]).toEqual([3, 1]);
    // This check finds any JWT, because the scanner looks only for known tokens.
    expect(await page.locator('#chain-result').innerText()).not.toContain('eyJ');
  });

  it('shows the steps of a call by bob up to the refusal', async () => {
    const page = await chromium.open(options);
    await logIn(page, 'bob');
    await call(page, 'bob');
    const told = await steps(page);
    expect(told.at(-2)).toMatch(/refuses: the caller may not do this/);
    expect(told.at(-1)).toMatch(/^Service A tells the browser why/);
    expect(told.join()).not.toContain('Service A calls Service B');
  });
});
