import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import axe from 'axe-core';
import { chromium } from 'playwright-core';

const SEARCH = 'search';
const PAGES = [
  'index.html',
  'step-up.html',
  'metrics.html',
  'api/nestjs-keycloak-s2s/index/classes/KeycloakGuard.html',
  SEARCH,
];
// A page opens in light colors. When the page is dark, its scripts have run.
const LOOKS = /** @type {const} */ (['dark', 'light']).flatMap((colorScheme) =>
  [1280, 360].map((width) => ({ colorScheme, width })),
);
/** @type {Record<string, string>} */
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json' };
const ORIGIN = 'http://site.test';
const WITHIN_MS = 120_000;

/** @typedef {{ folder: string, base: string, pictures: string | undefined }} Site `pictures` is for screenshots */

/**
 * Opens pages of a built site in a browser, in both color schemes, and at the widths of a desktop and a phone. Returns
 * each finding of axe, page that scrolls sideways, script error and request to another server.
 *
 * @param {Site & { executablePath: string }} site
 */
export async function pageFaults({ executablePath, ...site }) {
  const args = ['--disable-gpu', '--disable-background-networking'];
  const browser = await chromium.launch({ executablePath, args, timeout: WITHIN_MS });
  try {
    const faults = await Promise.all(PAGES.map(async (name) => faultsOf(name, await browser.newPage(), site)));
    return faults.flat();
  } finally {
    await browser.close();
  }
}

/** @param {string} name @param {import('playwright-core').Page} page @param {Site} site */
async function faultsOf(name, page, { folder, base, pictures }) {
  /** @type {string[]} */
  const faults = [];
  page.setDefaultTimeout(WITHIN_MS);
  page.on('pageerror', ({ message }) => faults.push(`${name}: ${message}`));
  page.on('console', (message) => message.type() === 'error' && faults.push(`${name}: ${message.text()}`));
  await page.route('**', async (route) => {
    const { origin, pathname } = new URL(route.request().url());
    if (origin !== ORIGIN) faults.push(`${name}: asks ${origin}`);
    const path = join(folder, decodeURI(pathname).replace(base, ''));
    const body = origin === ORIGIN ? await readFile(path).catch(() => undefined) : undefined;
    return body === undefined ? route.abort() : route.fulfill({ body, contentType: TYPES[extname(path)] ?? '' });
  });
  await page.goto(`${ORIGIN}${base}${name === SEARCH ? 'index.html' : name}`);
  // During a transition, axe would find other colors.
  await page.addStyleTag({ content: '* { transition: none !important }' });
  await page.evaluate(axe.source);
  for (const { colorScheme, width } of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await page.locator(colorScheme === 'dark' ? 'html.dark' : 'html:not(.dark)').waitFor();
    if (name === SEARCH) await search(page);
    const where = `${name}, ${colorScheme}, ${width} px`;
    if (pictures !== undefined) {
      const path = join(pictures, `${where.replaceAll(/[/, ]+/g, '-')}.png`);
      await page.screenshot({ path, fullPage: name !== SEARCH });
    }
    faults.push(...(await faultsInSight(page)).map((fault) => `${where}: ${fault}`));
  }
  await page.close();
  return faults;
}

/** @param {import('playwright-core').Page} page */
async function search(page) {
  const input = page.locator('.VPLocalSearchBox input');
  if (!(await input.isVisible())) await page.locator('.VPNavBarSearch button').first().click();
  await input.fill('token');
  await page.locator('.VPLocalSearchBox .result').first().waitFor();
}

/** @param {import('playwright-core').Page} page */
async function faultsInSight(page) {
  /** @type {import('axe-core').AxeResults} */
  const { violations, passes } = await page.evaluate(`axe.run(document, { resultTypes: ['violations'] })`);
  if (passes.length === 0) throw new Error('axe checked nothing');
  const excess = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  return [
    ...violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`)),
    ...(excess > 0 ? [`scrolls sideways by ${excess} px`] : []),
  ];
}
