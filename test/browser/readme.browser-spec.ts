/** The pictures of README.md and docs/demo.md; `UPDATE_PICTURES=true npm test -- readme.browser` renews them. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { Chromium, logIn } from '../support/chromium.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { RunningServices, ttl } from '../support/running-services.js';

const FOLDER = 'docs/images';
const MAX_BYTES = 150_000;
const MAX_FILM_BYTES = 300_000;
const MARGIN = 20;

let lab: RunningServices;
let chromium: Chromium;

beforeAll(async () => {
  lab = await RunningServices.start({ publicUrl, variables: ttl(10) });
  chromium = await Chromium.start();
});
afterAll(async () => {
  await chromium.stop();
  await lab.stop();
});

type Extent = readonly [first: Locator, last: Locator];

const PICTURES: Readonly<Record<string, (page: Page) => Promise<Extent>>> = {
  matrix: async (page) => {
    await page.goto('/');
    await page.getByRole('button', { name: 'Try each token at each service' }).click();
    await page.locator('#matrix-table[data-tried=true]').waitFor();
    return [page.locator('.eyebrow').first(), page.locator('.matrix')];
  },
  'what-just-happened': async (page) => {
    await logIn(page, 'alice');
    await page.goto('/run-service-b');
    return [page.locator('.sequence'), page.locator('.sequence')];
  },
  attacks: async (page) => {
    await page.goto('/');
    await page.locator('#run-all').getByRole('button').click();
    await page.getByText(/^All \d+ attacks were refused/).waitFor({ timeout: 60_000 });
    return [page.locator('#attacks'), page.locator('.attack-group').last()];
  },
};

it.each(Object.entries(PICTURES))(
  'the picture %s is small, and a document shows it with a description',
  async (name, show) => {
    const page = await chromium.open();
    const taken = await page.screenshot({ fullPage: true, clip: await clip(page, await show(page)) });
    expect(taken.length).toBeLessThan(MAX_BYTES);
    const path = `${FOLDER}/${name}.png`;
    if (process.env['UPDATE_PICTURES'] !== undefined) {
      await mkdir(FOLDER, { recursive: true });
      await writeFile(path, taken);
    }
    // The committed picture may come from another machine with other fonts.
    expect((await readFile(path)).length).toBeLessThan(MAX_BYTES);
    const [document, shown] =
      name === 'matrix'
        ? ['README.md', STILL]
        : ['docs/demo.md', new RegExp(`!\\[[^\\]]{20,}\\]\\(images/${name}\\.png\\)`)];
    expect(await readFile(document, 'utf8')).toMatch(shown);
  },
);

const STILL = `<source media="(prefers-reduced-motion: reduce)" srcset="${FOLDER}/matrix.png"`;

it.each(['light', 'dark'])('the film is small, and the README shows it: %s', async (look) => {
  const path = `${FOLDER}/steal-a-token-${look}.webp`;
  const film = await readFile(path);
  // `npm run film` records an animated WebP, which has `ANMF` frames.
  expect([film.toString('latin1', 0, 4), film.toString('latin1', 8, 12)]).toEqual(['RIFF', 'WEBP']);
  expect(film.toString('latin1').split('ANMF').length - 1).toBeGreaterThan(8);
  expect(film.length).toBeLessThan(MAX_FILM_BYTES);
  expect(await readFile('README.md', 'utf8')).toContain(path);
});

async function clip(
  page: Page,
  [first, last]: Extent,
): Promise<{ x: number; y: number; width: number; height: number }> {
  await page.mouse.move(0, 0);
  await page.evaluate('scrollTo(0, 0)');
  const [top, bottom] = [await first.boundingBox(), await last.boundingBox()];
  const width = page.viewportSize()?.width;
  if (top === null || bottom === null || width === undefined) throw new Error('The page shows nothing');
  const y = Math.max(0, top.y - MARGIN);
  return { x: 0, y, width, height: bottom.y + bottom.height + MARGIN - y };
}
