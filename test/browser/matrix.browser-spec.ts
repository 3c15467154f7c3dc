import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { Chromium, expectForEverybody, logIn, LOOKS } from '../support/chromium.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { connectToKeycloak } from '../../libs/keycloak-test-servers/contract/server.js';
import { addDemoClient, withShortTokens } from '../support/demo-client.js';
import { RunningServices, ttl } from '../support/running-services.js';

let services: RunningServices;
let chromium: Chromium;

beforeAll(async () => {
  await addDemoClient((await connectToKeycloak()).administrator);
  services = await RunningServices.start({ publicUrl, variables: ttl(10) });
  chromium = await Chromium.start();
});
afterAll(async () => {
  await chromium.stop();
  await services.stop();
});
afterEach(() => chromium.closeClean(services.scanner));

const AS_DUE = ['opens', 'closed', 'closed', 'closed', 'opens', 'closed', 'closed', 'closed', 'opens'];

const verdicts = (page: Page): Promise<unknown> =>
  page.evaluate(`[...document.querySelectorAll('.matrix td')].map(({ dataset }) => dataset.verdict)`);

async function tried(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Try each token at each service' }).click();
  await page.locator('#matrix-table[data-tried=true]').waitFor();
}

describe('the matrix of stolen tokens', () => {
  it.each([
    ['an anonymous user', (page: Page) => page.goto('/')],
    ['alice', (page: Page) => logIn(page, 'alice')],
  ])('shows the results, a summary and a countdown to %s without a page load', async (_, open) => {
    const page = await chromium.open();
    await open(page);
    await tried(page);
    expect(page.url()).toBe(`${publicUrl}/`);
    expect(await verdicts(page)).toEqual(AS_DUE);
    expect(await page.locator('#matrix-progress').innerText()).toContain('Each token opens the one service');
    expect(await page.locator('.cell-opens time').first().innerText()).toMatch(/^for \d+ s more$/);
  });

  it('shows the answer and the audience of the token after the user opens a cell by keyboard', async () => {
    const page = await chromium.open();
    await page.goto('/');
    await page.getByRole('button', { name: 'Try each token at each service' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('#matrix-table[data-tried=true]').waitFor();
    const cell = page.locator('.matrix tr').nth(2).locator('td').nth(2);
    await cell.locator('summary').focus();
    await page.keyboard.press('Enter');
    const text = await cell.innerText();
    expect(text).toContain('Made for Service B, and this is Service C: Keycloak called it inactive.');
    expect(text).toContain('401 invalid_token');
    expect(text).toContain('aud service-b');
  });

  it('shows nine accepted requests while the services share one token', async () => {
    const page = await chromium.open();
    await page.goto('/');
    const passedOn = page.getByRole('switch', { name: /^Forward one token instead/ });
    await passedOn.focus();
    await page.keyboard.press('Space');
    await page.locator('.cell-exposed').first().waitFor();
    expect(await verdicts(page)).toEqual(Array(9).fill('exposed'));
    expect(await page.locator('#matrix-progress').innerText()).toBe(
      'One token for all: stolen from any service, it works in 9 of 9 tries.',
    );
    const cell = page.locator('.matrix td').nth(6);
    await cell.locator('summary').click();
    expect(await cell.innerText()).toContain('so it opens Service A too, wherever it was stolen.');
    expect(await cell.innerText()).toContain('azp one-for-all');
    await passedOn.click();
    await page.locator('.cell-closed').first().waitFor();
    expect(await verdicts(page)).toEqual(AS_DUE);
  });

  it('shows the results for the final position of the "one token" switch after fast clicks', async () => {
    const page = await chromium.open();
    await page.goto('/');
    for (let moves = 0; moves < 5; moves += 1) await page.getByRole('switch').click();
    await page.locator('#try-tokens button:not([aria-disabled])').waitFor();
    expect(await verdicts(page)).toEqual(Array(9).fill('exposed'));
  });

  it('sends a token again after a click, and shows the result', async () => {
    const page = await chromium.open();
    await page.goto('/');
    await tried(page);
    const cell = page.locator('.matrix td').nth(8);
    await cell.locator('summary').click();
    const again = page.waitForResponse('**/matrix/again');
    await cell.getByRole('button', { name: 'Show it again' }).click();
    expect((await again).status()).toBe(200);
    await cell.getByRole('button', { name: 'Show it again' }).waitFor();
    expect(await verdicts(page)).toEqual(AS_DUE);
    expect(await page.locator('.cell-closed form').count()).toBe(0);
  });

  it('shows neither tokens nor a user after the session has ended', async () => {
    const page = await chromium.open();
    await logIn(page, 'alice');
    await tried(page);
    await page.context().addCookies([{ name: 'session', value: 'over', url: publicUrl }]);
    await page.locator('.cell-opens summary').first().click();
    await page.locator('.cell-opens').first().getByRole('button').click();
    await page.getByRole('heading', { name: 'The tokens were not shown' }).waitFor();
    expect(await page.locator('main').innerText()).not.toContain('alice');
  });

  it("keeps the earlier results and reports an error if Service A's answer is not a page", async () => {
    const page = await chromium.open();
    await page.goto('/');
    await tried(page);
    await page.route('**/matrix', (route) => route.fulfill({ contentType: 'text/plain', body: 'busy' }));
    await page.getByRole('button', { name: 'Try each token at each service' }).click();
    await page.getByText('The tokens could not be tried').waitFor();
    expect(await page.locator('#matrix-table').getAttribute('aria-busy')).toBeNull();
    expect(await verdicts(page)).toEqual(AS_DUE);
  });

  it('supports the "one token" switch and "Show it again" without scripts', async () => {
    const page = await chromium.open({ javaScriptEnabled: false });
    await page.goto('/');
    await page.getByRole('switch').check();
    await page.getByRole('button', { name: 'Try each token at each service' }).click();
    await page.waitForURL('**/matrix');
    expect(await verdicts(page)).toEqual(Array(9).fill('exposed'));
    await page.locator('.matrix summary').first().click();
    await page.getByRole('button', { name: 'Show it again' }).first().click();
    await page.waitForURL('**/matrix/again');
    expect(await verdicts(page)).toEqual(['exposed']);
  });

  it('shows its results without scripts', async () => {
    const page = await chromium.open({ javaScriptEnabled: false });
    await logIn(page, 'alice');
    await page.getByRole('button', { name: 'Try each token at each service' }).click();
    await page.waitForURL('**/matrix');
    expect(await verdicts(page)).toEqual(AS_DUE);
  });

  it.each(Object.entries<BrowserContextOptions>(LOOKS))(
    'keeps the layout when the results arrive: %s',
    async (_, options) => {
      const page = await chromium.open(options);
      await page.goto('/');
      const places = async (): Promise<unknown> =>
        Promise.all(
          ['h1', '.matrix', '.matrix tbody tr:last-child', '.chapter'].map(async (selector) => {
            const box = await page.locator(selector).first().boundingBox();
            return [Math.round(box?.x ?? 0), Math.round(box?.y ?? 0)];
          }),
        );
      const before = await places();
      await tried(page);
      expect(await places()).toEqual(before);
    },
  );

  it.each(Object.entries<BrowserContextOptions>(LOOKS))(
    'keeps the layout when the user changes the "one token" switch: %s',
    async (_, options) => {
      const page = await chromium.open(options);
      await logIn(page, 'alice');
      await tried(page);
      // Measured from the top of the document, because the click may scroll the page.
      const bottom = (): Promise<number> =>
        page.evaluate(`Math.round(document.querySelector('.chapter').getBoundingClientRect().top + scrollY)`);
      const before = await bottom();
      await page.getByRole('switch').click();
      await page.locator('.cell-exposed').first().waitFor();
      expect(await bottom()).toBe(before);
    },
  );

  it('has a start button that is visible before the user scrolls', async () => {
    const page = await chromium.open({ viewport: { width: 1280, height: 800 } });
    await page.goto('/');
    const box = await page.getByRole('button', { name: 'Try each token at each service' }).boundingBox();
    expect((box?.y ?? Infinity) + (box?.height ?? 0)).toBeLessThanOrEqual(800);
    expect(box?.height).toBeGreaterThanOrEqual(44);
  });

  it('is accessible and fits the window in every view: light, dark, phone, zoomed', async () => {
    const page = await chromium.open();
    await page.goto('/');
    await tried(page);
    await page.locator('.matrix summary').nth(2).click();
    await expectForEverybody(page, 'matrix');
  });
});

describe('a stolen token', () => {
  it('has a countdown, after which the page shows that the token is refused', async () => {
    await withShortTokens(6, async (server) => {
      const own = await RunningServices.start({ server, variables: ttl(10) });
      const browser = await Chromium.start([own.a.url]);
      try {
        const page = await browser.open({ baseURL: own.a.url });
        await page.goto('/');
        await tried(page);
        const cell = page.locator('.matrix td').nth(8);
        expect(await cell.innerText()).toMatch(/Opens\s+for \d s more/);
        await page.locator('.cell-ended').waitFor();
        expect(await verdicts(page)).toEqual([...AS_DUE.slice(0, 8), 'ended']);
        await cell.locator('summary').click();
        expect(await cell.innerText()).toContain('It was made for Service C, and it has expired');
        await browser.closeClean(own.scanner);
      } finally {
        await browser.stop();
        await own.stop();
      }
    });
  });
});
