// npm run film: makes the README's animated pictures from the stack of npm start.
import { mkdir, writeFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
import { findChromium, HOW_TO_GET_CHROMIUM } from '../../scripts/common/chromium.mjs';

const FOLDER = new URL('../images/', import.meta.url);
const PAGE = process.env.PUBLIC_URL ?? 'http://localhost:3000';
const VIEWPORT = { width: 820, height: 700 };
const MARGIN = 20;

const executablePath = findChromium(process.env);
if (executablePath === undefined) throw new Error(`Chromium was not found. ${HOW_TO_GET_CHROMIUM}`);
const browser = await chromium.launch({ executablePath, args: ['--disable-gpu', '--disable-background-networking'] });
try {
  await mkdir(FOLDER, { recursive: true });
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    const frames = await takeFrames(colorScheme);
    const film = await animated(frames);
    const name = `steal-a-token-${colorScheme}.webp`;
    await writeFile(new URL(name, FOLDER), film);
    console.log(`${name}: ${frames.length} frames, ${Math.ceil(film.length / 1000)} kB`);
  }
} finally {
  await browser.close();
}

/** @param {'light' | 'dark'} colorScheme */
async function takeFrames(colorScheme) {
  const page = await browser.newPage({ baseURL: PAGE, viewport: VIEWPORT, deviceScaleFactor: 2, colorScheme });
  /** @type {{ picture: Buffer, ms: number }[]} */
  const frames = [];
  const take = async (/** @type {number} */ ms) => {
    const [first, last] = [page.locator('.eyebrow').first(), page.locator('#matrix > .note')];
    const [top, bottom] = [await first.boundingBox(), await last.boundingBox()];
    if (top === null || bottom === null) throw new Error('The page has no matrix: is it in demo mode?');
    const y = top.y - MARGIN;
    const clip = { x: 0, y, width: VIEWPORT.width, height: bottom.y + bottom.height + MARGIN - y };
    frames.push({ picture: await page.screenshot({ clip, fullPage: true }), ms });
  };
  await page.goto('/');
  await take(1500);
  await page.keyboard.press('Tab');
  await take(700);
  await page.keyboard.press('Enter');
  await page.locator('#matrix-table[data-tried=true]').waitFor();
  await take(1000);
  for (let seconds = 0; seconds < 3; seconds += 1) {
    await page.waitForTimeout(1000);
    await take(1000);
  }
  await page.keyboard.press('Tab');
  await take(700);
  await page.keyboard.press('Space');
  await page.locator('.cell-exposed').first().waitFor();
  await take(1000);
  for (let seconds = 0; seconds < 4; seconds += 1) {
    await page.waitForTimeout(1000);
    await take(1000);
  }
  await page.close();
  return frames;
}

/** @param {readonly { picture: Buffer, ms: number }[]} frames */
function animated(frames) {
  return sharp(
    frames.map(({ picture }) => picture),
    { join: { animated: true } },
  )
    .webp({ lossless: true, effort: 6, loop: 0, delay: frames.map(({ ms }) => ms) })
    .toBuffer();
}
