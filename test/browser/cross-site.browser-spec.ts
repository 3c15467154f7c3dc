import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { Chromium, logIn } from '../support/chromium.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { RunningServices } from '../support/running-services.js';

let chain: RunningServices;
let evil: Server;
let port: number;
let chromium: Chromium;

/** The boolean is true if the browser sends the user's cookie to this host, although the port differs. */
const HOSTS = [
  ['another site', '127.0.0.1', false],
  ['another origin of the same site', 'localhost', true],
] as const;

beforeAll(async () => {
  chain = await RunningServices.start({ publicUrl });
  evil = createServer((_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>Hello'));
  evil.listen(0, '127.0.0.1');
  await once(evil, 'listening');
  port = (evil.address() as AddressInfo).port;
  chromium = await Chromium.start(HOSTS.map(([, host]) => `http://${host}:${port}`));
});
afterAll(async () => {
  // `closeClean` would fail here, because these tests make the browser report errors.
  await chromium.close(chain.scanner);
  await chromium.stop();
  evil.closeAllConnections();
  evil.close();
  await chain.stop();
});

const submitForm = (path: string, enctype = ''): string => `
  const form = document.createElement('form');
  Object.assign(form, { method: 'post', action: '${publicUrl}${path}' });
  if ('${enctype}' !== '') form.enctype = '${enctype}';
  form.append(Object.assign(document.createElement('input'), { name: 'csrf_token', value: 'guessed' }));
  document.body.append(form);
  form.submit();`;

const ask = (path: string, options: string): string =>
  `fetch('${publicUrl}${path}', { method: 'POST', credentials: 'include', ${options} }).catch(() => undefined)`;

const ATTEMPTS: readonly (readonly [
  what: string,
  path: string,
  script: (path: string) => string,
  status: number | undefined,
])[] = [
  ['a form', '/auth/logout', submitForm, 403],
  ['a form', '/attacks/no-token', submitForm, 403],
  ['a form in plain text', '/auth/logout', (path) => submitForm(path, 'text/plain'), 415],
  ['fetch without CORS', '/auth/logout', (path) => ask(path, `mode: 'no-cors'`), 403],
  ['fetch without CORS', '/attacks/no-token', (path) => ask(path, `mode: 'no-cors'`), 403],
  ['fetch', '/auth/logout', (path) => ask(path, `body: new URLSearchParams({ csrf_token: 'guessed' })`), 403],
  // The browser sends a CORS preflight request first, which the service rejects.
  [
    'fetch with an Authorization header',
    '/auth/logout',
    (path) => ask(path, `headers: { Authorization: '' }`),
    undefined,
  ],
  [
    'fetch with a token header',
    '/auth/logout',
    (path) => ask(path, `headers: { 'x-csrf-token': 'guessed' }`),
    undefined,
  ],
];

async function strangePage(user: Page, host: string): Promise<Page> {
  const page = await user.context().newPage();
  await page.goto(`http://${host}:${port}/`);
  return page;
}

describe.each(HOSTS)('a page of %s', (_, host, bringsCookie) => {
  let user: Page;
  beforeAll(async () => {
    user = await chromium.open();
    await logIn(user, 'alice');
  });

  it.each(ATTEMPTS)('cannot change anything with %s at the path %s (BF-06)', async (__, path, script, status) => {
    const page = await strangePage(user, host);
    const before = chromium.exchanges.length;
    const isAsked = (method: string) => (one: { readonly method: string; readonly url: string }) =>
      one.method === method && one.url === publicUrl + path;
    const sent = page.waitForEvent('requestfinished', { predicate: (one) => one.url() === publicUrl + path });
    const failed = page.waitForEvent('requestfailed', { predicate: (one) => one.url() === publicUrl + path });
    await page.evaluate(script(path));
    await Promise.any([sent, failed]);
    const made = chromium.exchanges.slice(before).filter(isAsked('POST'));
    expect(made.map((one) => one.status)).toEqual(status === undefined ? [] : [status]);
    const cookies = made.map(({ sentHeaders }) =>
      sentHeaders.some(([name, value]) => name === 'cookie' && /session=/.test(value)),
    );
    expect(cookies).toEqual(status === undefined ? [] : [bringsCookie]);
    await user.reload();
    expect(await user.locator('main').innerText()).toContain('Logged in as alice');
    await page.close();
  });

  it("cannot read the user's pages of Service A (BF-06)", async () => {
    const page = await strangePage(user, host);
    const read = await page.evaluate<string>(
      `fetch('${publicUrl}/', { credentials: 'include' }).then((answer) => answer.text(), (error) => 'not read: ' + error.name)`,
    );
    expect(read).toBe('not read: TypeError');
    const isOfFrame = (one: { url(): string }): boolean => one.url() === `${publicUrl}/`;
    const answered = page.waitForEvent('response', { predicate: isOfFrame });
    const failed = page.waitForEvent('requestfailed', { predicate: isOfFrame });
    await page.evaluate(
      `document.body.append(Object.assign(document.createElement('iframe'), { src: '${publicUrl}/', name: 'inner' }))`,
    );
    await Promise.any([answered, failed]);
    const frames = await Promise.all(
      page
        .frames()
        .slice(1)
        .map((frame) => frame.content().catch(() => '')),
    );
    expect(frames.join('')).not.toContain('alice');
  });
});

describe('a page of Service A', () => {
  it('can log the user out (BF-06)', async () => {
    const user = await chromium.open();
    await logIn(user, 'alice');
    await user.getByRole('button', { name: 'Log out', exact: true }).click();
    await user.waitForURL(`${publicUrl}/`);
    expect(await user.locator('main').innerText()).not.toContain('Logged in as');
  });
});
