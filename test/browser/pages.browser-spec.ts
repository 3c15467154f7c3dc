import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import {
  answered,
  callServiceB,
  Chromium,
  eachLook,
  expectForEverybody,
  fillPassword,
  logIn,
  LOOKS,
} from '../support/chromium.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
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

const PAGES: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  start: (page) => page.goto('/'),
  'start-logged-in': (page) => logIn(page, 'alice'),
  result: (page) => page.goto('/run-service-b'),
  'result-alice': async (page) => {
    await logIn(page, 'alice');
    await page.goto('/run-service-b');
  },
  'result-in-place': async (page) => {
    await page.goto('/');
    await callServiceB(page, 'Call Service B');
    await page.locator('#chain-place #chain-result').waitFor();
  },
  'refused-bob': async (page) => {
    await logIn(page, 'bob');
    await page.goto('/run-service-b');
  },
  'refused-session-over': async (page) => {
    await page.context().addCookies([{ name: 'session', value: 'over', url: publicUrl }]);
    await page.goto('/run-service-b');
  },
  refund: async (page) => {
    await logIn(page, 'alice');
    await page.goto('/refund');
    await fillPassword(page, 'alice');
    await page.waitForURL('**/refund');
  },
  'refund-refused': (page) => page.goto('/refund'),
  'not-found': (page) => page.goto('/no-such-page'),
  'form-refused': async (page) => {
    await logIn(page, 'alice');
    await page.evaluate(`document.querySelector('form[action="/auth/logout"] [name=csrf_token]').value = 'of before'`);
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await page.waitForURL('**/auth/logout');
  },
  'login-failed': (page) => page.goto('/auth/callback?state=unknown&code=unknown'),
};

describe.each(Object.entries(PAGES))('the page %s', (name, open) => {
  it('is accessible and fits the window in every view: light, dark, phone, zoomed', async () => {
    const page = await chromium.open();
    await open(page);
    expect(new URL(page.url()).origin).toBe(publicUrl);
    await expectForEverybody(page, name);
  });
});

describe('the start page', () => {
  it('loads less than 60 kB, all from Service A', async () => {
    const before = chromium.exchanges.length;
    const page = await chromium.open();
    await page.goto('/', { waitUntil: 'networkidle' });
    const exchanges = chromium.exchanges.slice(before);
    expect(exchanges.map(({ url }) => new URL(url).pathname).toSorted()).toEqual(
      expect.arrayContaining(['/', '/page.js', '/styles.css']),
    );
    for (const { url, status } of exchanges) expect([new URL(url).origin, status]).toEqual([publicUrl, 200]);
    const bytes = exchanges.reduce(
      (sum, { body, headers }) => sum + Buffer.byteLength(body) + String(headers).length,
      0,
    );
    expect(bytes).toBeLessThan(60_000);
  });

  it.each(['phone', 'light'])('has only buttons and links with a height of at least 44 pixels: %s', async (look) => {
    const page = await chromium.open(LOOKS[look]);
    await logIn(page, 'alice');
    await page.getByRole('button', { name: 'Try each token at each service' }).click();
    await page.locator('#matrix-table[data-tried=true]').waitFor();
    const openAll = (): Promise<unknown> =>
      page.evaluate(`for (const details of document.querySelectorAll('details')) details.open = true`);
    await openAll();
    await page.locator('#attack-no-token').getByRole('button').click();
    await page.locator('.outcome').waitFor();
    await openAll();
    const low = await page.evaluate(`[...document.querySelectorAll('main :is(a.btn, button, summary, label)')]
      .filter((element) => element.getBoundingClientRect().height < 44).map((element) => element.outerHTML.slice(0, 100))`);
    expect(low).toEqual([]);
  });
});

describe('a call of Service B', () => {
  it.each(Object.entries(LOOKS))(
    'scrolls to the heading of the answer, and does not move the page sideways: %s',
    async (_, options) => {
      const page = await chromium.open(options);
      await page.goto('/');
      const leftOf = async (selector: string): Promise<number | undefined> =>
        (await page.locator(selector).first().boundingBox())?.x;
      const before = await leftOf('h1');
      await callServiceB(page, 'Call Service B');
      await page.locator('#chain-place #chain-result').waitFor();
      const heading = await page.locator('#chain-result-heading').boundingBox();
      expect(heading?.y).toBeGreaterThanOrEqual(0);
      expect(heading?.y).toBeLessThan(200);
      expect(await page.evaluate('document.activeElement.id')).toBe('chain-result-heading');
      expect(await leftOf('h1')).toBe(before);
      expect(await page.title()).toBe('The chain answered');
    },
  );

  it('shows the answer in one column on a separate page, in every color scheme and window size', async () => {
    const page = await chromium.open();
    await page.goto('/run-service-b');
    await eachLook(page, async (look) => {
      const lefts = await page.evaluate<number[]>(`['h1', '#chain-result', '.actions', 'footer p']
        .map((selector) => Math.round(document.querySelector(selector).getBoundingClientRect().left))`);
      expect([look, new Set(lefts).size]).toEqual([look, 1]);
    });
  });
});

describe('the keyboard', () => {
  it('reaches the link to Service B with a visible focus', async () => {
    const page = await chromium.open();
    await page.goto('/');
    await tabTo(page, 'Call Service B');
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    await page.keyboard.press('Enter');
    expect(await answered(page)).toContain('Called as service-a');
  });

  it('lets a user log in and log out without a mouse', async () => {
    const page = await chromium.open();
    await page.goto('/');
    await tabTo(page, 'Log in');
    await page.keyboard.press('Enter');
    await page.locator('#username:focus').waitFor();
    await page.keyboard.type('alice');
    await page.keyboard.press('Tab');
    await page.keyboard.type('alice');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${publicUrl}/`);
    await tabTo(page, 'Log out');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Log in', exact: true }).waitFor();
    expect(page.url()).toBe(`${publicUrl}/`);
  });
});

async function tabTo(page: Page, name: string): Promise<void> {
  for (let stops = 0; stops < 30; stops += 1) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate('document.activeElement.textContent.trim()')) === name) return;
  }
  throw new Error(`The Tab key does not reach ${name}`);
}
