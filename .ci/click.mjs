// Logs in to a running stack in a browser as alice and as bob.
// Usage: node .ci/click.mjs BASE_URL
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { findChromium, HOW_TO_GET_CHROMIUM } from '../scripts/common/chromium.mjs';

const [baseURL = 'http://localhost:3000'] = process.argv.slice(2);
const executablePath = findChromium(process.env);
assert.ok(executablePath, `There is no Chromium. ${HOW_TO_GET_CHROMIUM}`);

const browser = await chromium.launch({ executablePath, args: ['--disable-gpu', '--disable-background-networking'] });
try {
  await visit('alice', /Called as alice[^]*Order 9876 processed by Service B/);
  await visit('bob', /403[^]*orders\.approve/);
} finally {
  await browser.close();
}

/**
 * @param {string} username
 * @param {RegExp} expected
 */
async function visit(username, expected) {
  const context = await browser.newContext({ baseURL });
  const page = await context.newPage();
  const link = (/** @type {string} */ name) => page.getByRole('link', { name, exact: true });
  await page.goto('/');
  await link('Log in').click();
  await page.locator('#username').fill(username);
  await page.locator('#password').fill(username);
  await page.locator('#kc-login').click();
  await link(`Call Service B as ${username}`).click();
  await page.getByText(/(Called as|Refused with) /).waitFor();
  assert.match(await page.locator('main').innerText(), expected);
  await page.goto('/');
  await page.getByRole('button', { name: 'Log out', exact: true }).click();
  await link('Log in').click();
  // Keycloak shows the login form, so the logout also ended Keycloak's session.
  await page.locator('#username').waitFor();
  await context.close();
  console.log(`${username}: logged in, was answered as expected, logged out`);
}
