import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { ATTACKS } from '../../apps/service-a/src/attacks/attack-list.js';
import { Chromium, expectForEverybody, logIn } from '../support/chromium.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { RunningServices, ttl } from '../support/running-services.js';

let lab: RunningServices;
let chromium: Chromium;

beforeAll(async () => {
  // The ttl is short, because one attack waits until the revocation window ends.
  lab = await RunningServices.start({ publicUrl, variables: ttl(2) });
  chromium = await Chromium.start();
});
afterAll(async () => {
  await chromium.stop();
  await lab.stop();
});
afterEach(() => chromium.closeClean(lab.scanner));

const button = (page: Page, name: string | RegExp): Locator => page.getByRole('button', { name });

const verdicts = (page: Page): Promise<unknown> =>
  page.evaluate(
    `Object.fromEntries([...document.querySelectorAll('.outcome')].map(({ dataset }) => [dataset.attack, dataset.verdict]))`,
  );
const ALL_REFUSED = Object.fromEntries(ATTACKS.map(({ id }) => [id, 'refused']));

async function shown(page: Page, id: string): Promise<Locator> {
  const attack = page.locator(`#attack-${id}`);
  await page.locator('.attack-group', { has: attack }).locator('> summary').click();
  return attack;
}

async function runAll(page: Page): Promise<void> {
  await button(page, /^Run all/).click();
  await page.getByText(`All ${ATTACKS.length} attacks were refused`).waitFor({ timeout: 60_000 });
}

describe('the attack page with scripts', () => {
  it.each([
    ['an anonymous user', (page: Page) => page.goto('/')],
    ['alice', (page: Page) => logIn(page, 'alice')],
  ])('shows each attack as refused after %s runs all attacks', async (_, open) => {
    const page = await chromium.open();
    await open(page);
    await runAll(page);
    expect(page.url()).toBe(`${publicUrl}/`);
    expect(await verdicts(page)).toEqual(ALL_REFUSED);
    expect(await page.locator('.group-result').allInnerTexts()).toEqual([
      '4 of 4 refused',
      '4 of 4 refused',
      '3 of 3 refused',
      '5 of 5 refused',
    ]);
  });

  it('shows which service refused an attack, and which claims the attacker forged', async () => {
    const page = await chromium.open();
    await page.goto('/');
    const attack = await shown(page, 'alg-none');
    await attack.getByRole('button').click();
    const outcome = attack.locator('.outcome');
    await outcome.waitFor();
    expect(await outcome.innerText()).toMatch(
      /Service B refuses a token without a signature before it asks Keycloak\.\s+401 invalid_token/,
    );
    await outcome.locator('summary').click();
    expect(await outcome.innerText()).toMatch(
      /The genuine token says[^]*orders\.approve[^]*Forged[^]*inventory\.adjust/,
    );
  });

  it('runs an attack by keyboard, and shows its refusal', async () => {
    const page = await chromium.open();
    await page.goto('/');
    const attack = await shown(page, 'token-at-c');
    await attack.getByRole('button').focus();
    await page.keyboard.press('Enter');
    await attack.locator('.outcome').waitFor();
    expect(await verdicts(page)).toEqual({ 'token-at-c': 'refused' });
    expect(await attack.locator('.outcome').innerText()).toMatch(/401.*invalid_token/);
  });
});

describe('the attack page without scripts', () => {
  it('shows each attack as refused on a separate page after "Run all"', async () => {
    const page = await chromium.open({ javaScriptEnabled: false });
    await page.goto('/');
    await button(page, /^Run all/).click();
    await page.waitForURL('**/attacks', { timeout: 60_000 });
    expect(await verdicts(page)).toEqual(ALL_REFUSED);
  });

  it('shows the refusal of one attack on a separate page', async () => {
    const page = await chromium.open({ javaScriptEnabled: false });
    await logIn(page, 'alice');
    await (await shown(page, 'alg-none')).getByRole('button').click();
    await page.waitForURL('**/attacks/alg-none');
    expect(await verdicts(page)).toEqual({ 'alg-none': 'refused' });
  });
});

describe('the attack page with all outcomes', () => {
  it('is accessible and fits the window in every view: light, dark, phone, zoomed', async () => {
    const page = await chromium.open();
    await page.goto('/');
    await runAll(page);
    for (const group of await page.locator('.attack-group > summary').all()) await group.click();
    await expectForEverybody(page, 'attacks');
  });
});
