import { mkdir } from 'node:fs/promises';
import { expect } from '@jest/globals';
import axe from 'axe-core';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';
import { BrowserRecorder, type Exchange, type Header } from './browser-recorder.js';
import { keycloakUrl, publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import type { TokenLeakScanner } from 'nestjs-keycloak-s2s/testing';

const PICTURES = 'test-results/screenshots';
const WITHIN_MS = 180_000;

/** {@link eachLook} changes an open page, because a new context would take longer. */
export const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  // A window of 1280 by 800 at 200 % zoom (WCAG 2.2, 1.4.4).
  zoomed: { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
};

const VIOLATIONS = `document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
  console.error('Violates the content security policy: ' + violatedDirective + ' ' + blockedURI));`;

const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** True if Chromium itself, and not the page, makes the request. */
const isHome = (url: string): boolean => /\.(?:googleapis|google|gvt1)\.com$/.test(new URL(url).hostname);

interface Sight {
  readonly where: string;
  readonly text: string;
  /** True for the cookies of Keycloak, which look like tokens. */
  readonly mayLookLikeToken?: boolean;
}

export class Chromium {
  readonly #contexts = new Set<BrowserContext>();
  readonly #sights: Sight[] = [];
  readonly #complaints: string[] = [];
  #lookedThrough = 0;

  private constructor(
    private readonly browser: Browser,
    private readonly recorder: BrowserRecorder,
    private readonly origins: readonly string[],
  ) {}

  static async start(others: readonly string[] = []): Promise<Chromium> {
    const executablePath = process.env['CHROMIUM_PATH'];
    if (executablePath === undefined) throw new Error('These tests need a Chromium: run them with `npm test`');
    const origins = [publicUrl, keycloakUrl(), ...others].map((url) => new URL(url).origin);
    const recorder = await BrowserRecorder.start(origins);
    const browser = await chromium.launch({ executablePath, args: QUIET, proxy: { server: recorder.url } });
    return new Chromium(browser, recorder, origins);
  }

  get exchanges(): readonly Exchange[] {
    return this.recorder.exchanges.filter(({ url }) => !isHome(url));
  }

  async open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({
      baseURL: publicUrl,
      viewport: { width: 1000, height: 760 },
      ...options,
    });
    this.#contexts.add(context);
    context.setDefaultTimeout(WITHIN_MS);
    await context.addInitScript(VIOLATIONS);
    context.on('page', (page) => this.#listen(page));
    return context.newPage();
  }

  #listen(page: Page): void {
    page.on('console', (message) => {
      const { url } = message.location();
      this.#sights.push({ where: `the console at ${url}`, text: message.text() });
      // The tests check refusals, so a 4xx status is not a fault.
      const ours = (url === '' ? page.url() : url).startsWith(publicUrl);
      const isRefusal = /^Failed to load resource: .* status of 4/.test(message.text()) && isChecked(url, page);
      // A broken or missing event stream of a stopped replica is not a fault.
      const isBroken = message.text().startsWith('Failed to load resource: ') && url === `${publicUrl}/watch`;
      const isComplaint = ['error', 'warning'].includes(message.type()) && !isRefusal && !isBroken;
      if (ours && isComplaint) this.#complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.#complaints.push(error.message));
    page.on('request', (request) => {
      if (!this.origins.includes(new URL(request.url()).origin))
        this.#complaints.push(`Asks elsewhere: ${request.url()}`);
    });
  }

  async close(scanner: TokenLeakScanner): Promise<readonly string[]> {
    for (const context of this.#contexts) {
      for (const page of context.pages()) this.#sights.push(await sessionStorageOf(page));
      this.#sights.push(...cookieSights(await context.cookies()));
      this.#sights.push({ where: 'local storage', text: JSON.stringify((await context.storageState()).origins) });
      await context.close();
      this.#contexts.delete(context);
    }
    const exchanges = this.recorder.exchanges.slice(this.#lookedThrough);
    this.#lookedThrough += exchanges.length;
    for (const { where, text, mayLookLikeToken = false } of [
      ...this.#sights.splice(0),
      ...exchanges.flatMap(sightsOf),
    ]) {
      scanner.inspect(where, text, { onlyKnown: mayLookLikeToken });
    }
    return this.#complaints.splice(0);
  }

  async closeClean(scanner: TokenLeakScanner): Promise<void> {
    const complaints = await this.close(scanner);
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
    scanner.assertNone();
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.recorder.stop();
  }
}

function isChecked(url: string, page: Page): boolean {
  const shown = ['/run-service-b', '/attacks', '/matrix'];
  return url === page.url() || shown.some((path) => url.startsWith(publicUrl + path));
}

export async function logIn(page: Page, username: string): Promise<void> {
  await page.goto('/');
  await page.getByRole('link', { name: 'Log in', exact: true }).click();
  await fillLogin(page, username);
  await page.waitForURL(`${publicUrl}/`);
}

export async function callServiceB(page: Page, name: string): Promise<string> {
  await page.getByRole('link', { name, exact: true }).click();
  return answered(page);
}

export async function answered(page: Page): Promise<string> {
  await page
    .getByText(/(Called as|Refused with) /)
    .first()
    .waitFor();
  return page.locator('main').innerText();
}

export async function fillLogin(page: Page, username: string): Promise<void> {
  await page.locator('#username').fill(username);
  await page.locator('#password').fill(username);
  await page.locator('#kc-login').click();
}

export async function fillPassword(page: Page, password: string): Promise<void> {
  await page.locator('#password').fill(password);
  await page.locator('#kc-login').click();
}

export async function accessibilityFaults(page: Page): Promise<string[]> {
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(axe.source);
  const { violations, incomplete, passes } = await page.evaluate<axe.AxeResults>('axe.run(document)');
  if (passes.length === 0) throw new Error('axe checked nothing');
  return [...violations, ...incomplete.map(onlyUnreadable)].flatMap(({ id, help, nodes }) =>
    nodes.map(({ html }) => `${id}: ${help}: ${html}`),
  );
}

/** Keeps an undecided finding of axe only if the text has the color of its background. */
function onlyUnreadable(result: axe.Result): axe.Result {
  const isUnreadable = ({ any }: axe.NodeResult): boolean =>
    any.some(({ data }) => (data as { messageKey?: string } | undefined)?.messageKey === 'equalRatio');
  return { ...result, nodes: result.nodes.filter(isUnreadable) };
}

/** For `phone`, this function sets only the size of the window. */
export async function eachLook(page: Page, use: (look: string) => Promise<void>): Promise<void> {
  const before = page.viewportSize();
  for (const [look, { colorScheme = 'light', viewport }] of Object.entries(LOOKS)) {
    await page.emulateMedia({ colorScheme });
    const size = viewport ?? before;
    if (size !== null) await page.setViewportSize(size);
    await use(look);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  if (before !== null) await page.setViewportSize(before);
}

export function expectForEverybody(page: Page, name: string): Promise<void> {
  return eachLook(page, async (look) => {
    await takePicture(page, `${name}-${look}`);
    const seen = { look, overflow: await overflow(page), faults: await accessibilityFaults(page) };
    expect(seen).toEqual({ look, overflow: 0, faults: [] });
  });
}

export async function overflow(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  const { cssContentSize, cssLayoutViewport } = await session.send('Page.getLayoutMetrics');
  await session.detach();
  return Math.max(0, cssContentSize.width - cssLayoutViewport.clientWidth);
}

export async function takePicture(page: Page, name: string): Promise<void> {
  if (process.env['SCREENSHOTS'] !== 'true') return;
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
}

async function sessionStorageOf(page: Page): Promise<Sight> {
  // Returns an empty text for a page without scripts, which cannot store anything.
  const text = await page.evaluate<string>('JSON.stringify(sessionStorage)').catch(() => '');
  return { where: `session storage at ${page.url()}`, text };
}

function cookieSights(cookies: Awaited<ReturnType<BrowserContext['cookies']>>): Sight[] {
  return cookies.map(({ name, value, path }) => ({
    where: `cookie ${name} for ${path}`,
    text: value,
    mayLookLikeToken: path.startsWith('/realms/'),
  }));
}

function sightsOf({ url, sentHeaders, sentBody, headers, body }: Exchange): Sight[] {
  const ofKeycloak = !url.startsWith(publicUrl);
  const sightOf = ([name, value]: Header): Sight => ({
    where: `${name} at ${url}`,
    text: value,
    mayLookLikeToken: ofKeycloak && (name === 'cookie' || name === 'set-cookie'),
  });
  return [
    { where: `address ${url.split('?')[0]}`, text: url },
    { where: `form sent to ${url}`, text: sentBody },
    { where: `body of ${url}`, text: body },
    ...[...sentHeaders, ...headers].map(sightOf),
  ];
}
