import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { Chromium, fillPassword, logIn } from '../support/chromium.js';
import { RunningServices } from '../support/running-services.js';

let chain: RunningServices;
let chromium: Chromium;

beforeAll(async () => {
  chain = await RunningServices.start({ publicUrl });
  chromium = await Chromium.start();
});
afterAll(async () => {
  await chromium.stop();
  await chain.stop();
});
afterEach(() => chromium.closeClean(chain.scanner));

const main = (page: Page): Promise<string> => page.locator('main').innerText();
const click = (page: Page, name: string): Promise<void> => page.getByRole('link', { name, exact: true }).click();
const refund = (page: Page): Promise<void> => page.getByRole('button', { name: 'Refund it', exact: true }).click();

async function passwordForm(page: Page): Promise<void> {
  await page.locator('#kc-login').waitFor();
  expect(new URL(page.url()).origin).not.toBe(publicUrl);
}

describe.each([
  ['with scripts', {}],
  ['without scripts', { javaScriptEnabled: false }],
])('a refund, %s', (_, options) => {
  it('requires the password again, and then a click (RS-11)', async () => {
    const page = await chromium.open(options);
    await logIn(page, 'alice');
    await click(page, 'Refund an order');
    await passwordForm(page);
    await fillPassword(page, 'alice');
    await page.waitForURL(`${publicUrl}/refund`);
    expect(await main(page)).toContain('Refund order 9876');
    await refund(page);
    await page.getByRole('heading', { name: 'Refunded' }).waitFor();
    expect(await main(page)).toMatch(/Order 9876 refunded by Service B[^]*20/);
    await click(page, 'Back to the start');
    await click(page, 'Refund an order');
    await page.waitForURL(`${publicUrl}/refund`);
    expect(await main(page)).toContain('Refund order 9876');
  });

  it('shows bob why the refund is refused, even after bob enters his password again', async () => {
    const page = await chromium.open(options);
    await logIn(page, 'bob');
    await click(page, 'Refund an order');
    await passwordForm(page);
    await fillPassword(page, 'bob');
    await page.waitForURL(`${publicUrl}/refund`);
    await refund(page);
    await page.getByText('Nothing was refunded').waitFor();
    expect(await main(page)).toContain('Permission orders.approve is missing.');
  });
});

describe('a form that is sent after a weak login', () => {
  it('refunds nothing until the user sends the form again after a stronger login (RS-11)', async () => {
    const page = await chromium.open();
    await logIn(page, 'alice');
    // Simulates a page that was left open until the login was too old.
    await page.evaluate(`document.querySelector('form[action="/auth/logout"]').action = '/refund'`);
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await page.getByRole('heading', { name: 'Nothing was refunded' }).waitFor();
    await click(page, 'Log in again');
    await passwordForm(page);
    await fillPassword(page, 'alice');
    await page.waitForURL(`${publicUrl}/refund?not_sent=true`);
    expect(await main(page)).toContain('Nothing was sent.');
    await refund(page);
    await page.getByRole('heading', { name: 'Refunded' }).waitFor();
  });
});

describe('a step-up login that is still too weak', () => {
  it('does not lead to repeated logins (RS-11)', async () => {
    const page = await chromium.open();
    await logIn(page, 'alice');
    const before = chromium.exchanges.length;
    await page.goto('/auth/login?acr_values=1&return_to=/refund');
    await page.getByText('that login was not strong or recent enough').waitFor();
    const paths = chromium.exchanges.slice(before).map(({ url }) => new URL(url).pathname);
    expect(paths.filter((path) => path === '/refund')).toHaveLength(1);
    await click(page, 'Log in again');
    await passwordForm(page);
    await fillPassword(page, 'alice');
    await page.waitForURL(`${publicUrl}/refund`);
  });
});
