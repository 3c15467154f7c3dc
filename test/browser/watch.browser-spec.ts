import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { FEED_STATUS, watched } from '../../apps/service-a/spec-support/shown-pages.js';
import { storyOf, type WatchedService } from '../../apps/service-a/src/watch/watch-story.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { Chromium, expectForEverybody, logIn, takePicture } from '../support/chromium.js';
import { receiveRevocations } from '../support/receive-revocations.js';
import { RunningServices, ttl } from '../support/running-services.js';
import { startSignalsRealm } from '../support/signals-realm.js';

let server: ContractServer;
let services: RunningServices;
let feeds: Awaited<ReturnType<typeof receiveRevocations>>;
let chromium: Chromium;

beforeAll(async () => {
  server = await startSignalsRealm();
  // No test waits this long, so only an event can cause a refusal.
  services = await RunningServices.start({ server, publicUrl, variables: ttl(60) });
  feeds = await receiveRevocations(services, server);
  chromium = await Chromium.start([server.baseUrl]);
});
afterAll(async () => {
  await chromium.stop();
  await feeds.stop();
  await services.stop();
  await server.stop();
});
afterEach(() => chromium.closeClean(services.scanner));

const words = (page: Page): Promise<string> => page.locator('#watch-words').innerText();
const turnedWhole = (page: Page): Promise<void> =>
  page.locator('.watch-services:not(:has(li:not(.watch-refused))) li:nth-child(3)').waitFor();

async function opened(options: BrowserContextOptions = {}): Promise<{ page: Page; username: string }> {
  const username = await server.newUser('order-manager');
  const page = await chromium.open(options);
  await logIn(page, username);
  await page.getByText('Your session is active: Services A, B and C accept its tokens.').waitFor();
  return { page, username };
}

/** Ends all sessions of the user at the embedded server, which cannot list sessions. */
async function endSessionOf(username: string): Promise<void> {
  const path = `/users/${await server.subjectOf(username)}`;
  if ((await server.administrator.statusOf('GET', `${path}/sessions`)) === 200) {
    const sessions = await server.administrator.read<{ readonly id: string }[]>(`${path}/sessions`);
    for (const { id } of sessions) await server.endSession(id);
  } else await server.logOutUser(username);
}

describe('a page whose user is logged in', () => {
  it('announces the refusals and their delays after an administrator disables the user', async () => {
    const { page, username } = await opened();
    const before = chromium.exchanges.length;
    await server.disableUser(username);
    await turnedWhole(page);
    expect(await words(page)).toMatch(/^Refused \d+\.\d s later,? at [ABC]/);
    expect(await page.title()).toMatch(/^Refused \d+\.\d s later/);
    expect(await page.locator('#watch-words').getAttribute('role')).toBe('status');
    expect(await page.locator('.watch-services').innerText()).toMatch(
      /Service A\s+refused after \d+\.\d s\s+✓ Service B\s+refused after \d+\.\d s\s+✓ Service C\s+refused after \d+\.\d s/,
    );
    expect(await page.locator('#session').innerText()).toContain(`The session of ${username} is over`);
    expect(chromium.exchanges.slice(before)).toEqual([]);
    await takePicture(page, 'watch-turned');
  });

  it('shows the refusals after an administrator ends the session', async () => {
    const { page, username } = await opened();
    await endSessionOf(username);
    await turnedWhole(page);
    expect(await words(page)).toMatch(/^Refused /);
    await page.locator('#session').getByRole('link', { name: 'Log in', exact: true }).click();
    await page.locator('#kc-login').waitFor();
  });

  it('shows the refusals after the user logs out in another tab', async () => {
    const { page } = await opened();
    const other = await page.context().newPage();
    await other.goto('/');
    await other.getByRole('button', { name: 'Log out', exact: true }).click();
    await other.waitForURL(`${publicUrl}/`);
    await turnedWhole(page);
    expect(await words(page)).toMatch(/^Refused /);
  });

  it('keeps the focus, or moves the focus to the element #session if the focused link disappears', async () => {
    const { page, username } = await opened();
    await page.getByText(/^Forged or misused/).click();
    const attack = page.getByRole('button', { name: 'Try: No token at all' });
    await attack.focus();
    const focused = () =>
      page.evaluate<string>('document.activeElement.getAttribute("aria-label") ?? document.activeElement.id');
    await server.disableUser(username);
    await turnedWhole(page);
    expect(await focused()).toBe('Try: No token at all');
    const second = await opened();
    await second.page.getByRole('link', { name: /^Call Service B as/ }).focus();
    await server.disableUser(second.username);
    await turnedWhole(second.page);
    expect(await second.page.evaluate('document.activeElement.id')).toBe('session');
  });

  it('shows the user name without scripts, and hides the live report of refusals', async () => {
    const username = await server.newUser('order-manager');
    const page = await chromium.open({ javaScriptEnabled: false });
    await logIn(page, username);
    await expect(page.locator('#watch').isVisible()).resolves.toBe(false);
    expect(await page.locator('#session').innerText()).toContain(`Logged in as ${username}`);
  });
});

type Watched = readonly [letter: string, state: WatchedService['state'], refusedAtMs?: number];

const storyPage = (...watchedServices: readonly Watched[]): string => {
  const story = watchedServices.map(([letter, state, refusedAtMs]) => ({
    service: `Service ${letter}`,
    state,
    refusedAtMs,
  }));
  return watched(storyOf(story, []), 'alice', { ...FEED_STATUS, isShared: false });
};

/** Lets the page receive one event, which shows `html` in the report, and no other event. */
async function showReport(page: Page, html: string): Promise<void> {
  const data = html.replaceAll('\n', '\ndata: ');
  const body = `retry: 3600000\nevent: state\ndata: ${data}\n\n`;
  await page.route('**/watch', (route) => route.fulfill({ contentType: 'text/event-stream', body }));
  await page.reload();
  await page.locator('.watch-services').waitFor();
}

describe('a page that shows refusals', () => {
  it('keeps its layout in every state and at every width', async () => {
    const { page } = await opened();
    const heights = new Map<number, Set<number>>();
    for (const html of [
      storyPage(['A', 'unknown']),
      storyPage(['A', 'accepted'], ['B', 'unknown'], ['C', 'unknown']),
      storyPage(['A', 'accepted'], ['B', 'accepted'], ['C', 'accepted']),
      storyPage(['A', 'expired'], ['B', 'expired'], ['C', 'accepted']),
      storyPage(['A', 'refused', 0], ['B', 'accepted'], ['C', 'accepted']),
      storyPage(['A', 'refused', 0], ['B', 'refused', 900], ['C', 'refused', 8200]),
    ]) {
      await showReport(page, html);
      for (const width of [320, 360, 480, 481, 640, 641, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        const height = await page.locator('#watch').evaluate((box) => box.getBoundingClientRect().height);
        heights.set(width, (heights.get(width) ?? new Set()).add(height));
      }
    }
    for (const [width, seen] of heights)
      expect({ width, seen: [...seen] }).toEqual({ width, seen: [expect.any(Number)] });
  });

  it('is accessible and fits every window before and after a refusal, in every color scheme', async () => {
    const { page, username } = await opened();
    await expectForEverybody(page, 'watch-before');
    await server.disableUser(username);
    await turnedWhole(page);
    await expectForEverybody(page, 'watch');
  });
});
