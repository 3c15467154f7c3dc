// Clicks "Call Service B" as a visitor would, with and without JavaScript and logged in, and takes pictures of the pages.
// Usage: node .ci/click.mjs BASE_URL CHROMIUM SCREENSHOT_FOLDER
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [baseUrl, executablePath, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

const VISITORS = [
  { name: 'light', colorScheme: 'light' },
  { name: 'dark', colorScheme: 'dark' },
  { name: 'phone', viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  { name: 'no-javascript', javaScriptEnabled: false },
];

const browser = await chromium.launch({
  executablePath,
  // CI runs as root, where Chromium has no sandbox; the rest keeps it from calling home.
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
try {
  for (const visitor of VISITORS) await visit(visitor);
  await visitWithBadToken();
  await visitAsAlice();
  await visitAsBob();
} finally {
  await browser.close();
}

async function visit({ name, ...options }) {
  const { page, complaints, picture, close } = await open(name, options);
  await page.goto('/');
  const link = page.getByRole('link', { name: 'Call Service B', exact: true });
  assert.equal(await link.getAttribute('class'), 'btn btn-primary');
  assert.equal(await link.getAttribute('href'), '/run-service-b');
  await picture('home');
  await link.click();
  await page.waitForURL('**/run-service-b');
  const text = await page.locator('main').innerText();
  assert.match(text, /Order 9876 processed by Service B/);
  assert.match(text, /Service C successfully processed request/);
  assert.match(text, /\b20\b/);
  await picture('answer');
  await close();
  assert.deepEqual(complaints, [], `${name}: the console must be silent`);
  console.log(`${name}: clicked, and both services answered`);
}

/** The page of a refusal is a page too. */
async function visitWithBadToken() {
  const { page, picture, close } = await open('refused', { extraHTTPHeaders: { Authorization: 'Bearer junk' } });
  const answer = await page.goto('/run-service-b');
  assert.equal(answer.status(), 401);
  assert.match(await page.locator('main').innerText(), /Invalid token/);
  await picture('answer');
  await close();
  console.log('refused: a bad token gets a page that says so');
}

/** Logs in, runs the chain in her name, and logs out: here and at Keycloak. */
async function visitAsAlice() {
  const { page, complaints, picture, close } = await open('alice', {});
  await logIn(page, 'alice');
  await picture('home');
  const cookies = await page.context().cookies(baseUrl);
  assert.ok(
    cookies.every(({ httpOnly }) => httpOnly),
    'a script could read a cookie',
  );
  await page.getByRole('link', { name: 'Call Service B as alice', exact: true }).click();
  assert.match(await page.locator('main').innerText(), /Called as alice/);
  await page.goto('/');
  await page.getByRole('button', { name: 'Log out', exact: true }).click();
  await page.getByRole('link', { name: 'Log in', exact: true }).waitFor();
  await page.getByRole('link', { name: 'Log in', exact: true }).click();
  // Keycloak asks again, so it has forgotten her too.
  await page.locator('#username').waitFor();
  await close();
  assert.deepEqual(complaints, [], 'alice: the console must be silent');
  console.log('alice: logged in, the chain ran in her name, logged out');
}

async function visitAsBob() {
  const { page, picture, close } = await open('bob', {});
  await logIn(page, 'bob');
  await page.getByRole('link', { name: 'Call Service B as bob', exact: true }).click();
  const text = await page.locator('main').innerText();
  assert.match(text, /403/);
  assert.match(text, /orders\.approve/);
  await picture('answer');
  await close();
  console.log('bob: logged in, and refused by the name of the permission');
}

async function logIn(page, username) {
  await page.goto('/');
  await page.getByRole('link', { name: 'Log in', exact: true }).click();
  await page.locator('#username').fill(username);
  await page.locator('#password').fill(username);
  await page.locator('#kc-login').click();
  await page.waitForURL(new URL('/', baseUrl).href);
}

async function open(name, options) {
  const context = await browser.newContext({ baseURL: baseUrl, viewport: { width: 1000, height: 760 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  // Chromium reports violations of the content security policy as errors of the console.
  page.on('console', (message) => {
    // What Keycloak's own pages say is not ours.
    const ours = page.url().startsWith(baseUrl);
    if (ours && ['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on(
    'response',
    (response) => response.status() >= 400 && complaints.push(`${response.url()}: ${response.status()}`),
  );
  const picture = async (what) => {
    await page.screenshot({ path: join(folder, `${what}-${name}.png`), fullPage: true });
    const { width } = await page.locator('html').boundingBox();
    const { scrollWidth } = await measure(page);
    assert.ok(scrollWidth <= Math.ceil(width), `${what}-${name}: wider than its window (${scrollWidth} > ${width})`);
  };
  return { page, complaints, picture, close: () => context.close() };
}

/** By way of the debugger, which works without the page's JavaScript. */
async function measure(page) {
  const session = await page.context().newCDPSession(page);
  const { cssContentSize } = await session.send('Page.getLayoutMetrics');
  await session.detach();
  return { scrollWidth: cssContentSize.width };
}
