import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RevocationList } from 'nestjs-keycloak-s2s';
import { UserSessions } from '../../apps/service-a/src/login/user-sessions.js';
import { Valkey, valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { urlsAt } from '../support/valkey-urls.js';
import { Browser, locationOf, type Page } from '../../libs/keycloak-test-servers/contract/browser.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { callbackOf } from '../support/login-at.js';
import { RunningServices, ttl } from '../support/running-services.js';

const key = (): string => randomBytes(32).toString('base64');
const JSON_ONLY = { Accept: 'application/json' };

let valkey: Valkey;
let first: RunningServices;
let second: RunningServices;
let addresses: readonly [string, string];

/** The browser sends all cookies to both replicas, like a balancer without sticky sessions. */
function newBrowser(): Browser {
  const browser = new Browser();
  const jar = new Map<string, string>();
  for (const address of addresses) browser.cookies.set(address, jar);
  return browser;
}

const chain = (browser: Browser, at: string): Promise<Page> =>
  browser.send(`${at}/run-service-b`, { headers: JSON_ONLY });
const sessionIn = (browser: Browser): string | undefined => browser.cookie(addresses[0], 'session') || undefined;

const onValkey = valkeyPath === undefined ? describe.skip : describe;

onValkey('replicas of Service A that share sessions over Valkey', () => {
  let browser: Browser;

  beforeAll(async () => {
    valkey = await Valkey.start(valkeyPath ?? '');
    const shared = {
      ...ttl(300),
      PUBLIC_URL: publicUrl,
      SHARED_DENIAL_KEYS: key(),
      SHARED_STATE_KEYS: key(),
    };
    first = await RunningServices.start({ variables: shared, own: urlsAt(valkey) });
    const urls = { SERVICE_B_URL: first.b.url, SERVICE_C_URL: first.c.url };
    second = await RunningServices.start({
      only: ['service-a'],
      variables: { ...shared, ...urls },
      own: urlsAt(valkey),
    });
    addresses = [first.a.url, second.a.url];
  });
  afterAll(async () => {
    await second.stop();
    await first.stop();
    await valkey.remove();
  });
  beforeEach(async () => {
    browser = newBrowser();
    const callback = await callbackOf(addresses[0], browser, 'alice');
    await browser.send(callback.replace(...addresses));
  });

  it('run the chain as the logged-in user at each replica (BF-05)', async () => {
    for (const at of addresses) {
      expect((await chain(browser, at)).status).toBe(200);
      expect((await browser.send(`${at}/run-service-b`)).text).toContain('alice');
      expect((await browser.send(at)).text).toContain('Logged in as <strong>alice');
    }
  });

  it('accept the callback of a login only once, at any replica (BF-01)', async () => {
    const another = newBrowser();
    const callback = await callbackOf(addresses[0], another, 'alice');
    const both = await Promise.all([another.send(callback), another.send(callback.replace(...addresses))]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([303, 400]);
  });

  it('share the session after a step-up under a new id (RS-11, BF-05)', async () => {
    const former = sessionIn(browser) ?? '';
    for (const at of addresses) expect((await browser.send(`${at}/refund`)).status).toBe(303);
    const link = locationOf(await browser.send(`${addresses[0]}/refund`)) ?? '';
    const form = await browser.open(link, {}, (next) => next.includes('/auth/callback'));
    const callback = locationOf(await browser.submitForm(form, { password: 'alice' })) ?? '';
    const back = await browser.send(callback.replace(publicUrl, addresses[1]));
    expect([back.status, back.headers.get('location')]).toEqual([303, '/refund']);
    expect(sessionIn(browser)).not.toBe(former);
    for (const at of addresses) {
      expect((await browser.send(`${at}/refund`)).status).toBe(200);
      const thief = await new Browser().send(`${at}/run-service-b`, { headers: { cookie: `session=${former}` } });
      expect(thief.status).toBe(401);
    }
  });

  it('do not redirect a browser again after a step-up that is too weak (RS-11)', async () => {
    const link = `${addresses[0]}/auth/login?acr_values=1`;
    const answered = await browser.open(link, {}, (next) => next.includes('/auth/callback'));
    await browser.send((locationOf(answered) ?? '').replace(publicUrl, addresses[0]));
    for (const at of addresses) expect((await browser.send(`${at}/refund`)).status).toBe(401);
  });

  it('refuse a session after a logout at one of the replicas (BF-09)', async () => {
    const id = sessionIn(browser) ?? '';
    const form = {
      csrf_token: /name="csrf_token" value="([^"]+)"/.exec((await browser.send(addresses[0])).text)?.[1] ?? '',
    };
    const headers = { 'sec-fetch-site': 'same-origin' };
    const answer = await browser.send(`${addresses[1]}/auth/logout`, { method: 'POST', headers, form });
    expect([answer.status, sessionIn(browser)]).toEqual([303, undefined]);
    for (const at of addresses) {
      browser.setCookie(at, 'session', id);
      expect([(await chain(browser, at)).status, sessionIn(browser)]).toEqual([401, undefined]);
    }
  });

  it('answer 503 while Valkey is frozen, and do not clear the session cookie (BF-05)', async () => {
    const id = sessionIn(browser);
    for (const at of addresses) expect((await chain(browser, at)).status).toBe(200);
    valkey.freeze();
    try {
      for (const at of addresses) {
        const { status, text } = await chain(browser, at);
        expect([status, JSON.parse(text)]).toEqual([503, expect.objectContaining({ code: 'sessions_unavailable' })]);
        for (const path of ['/', '/run-service-b']) {
          const page = await browser.send(at + path);
          expect([page.status, page.headers.get('retry-after')]).toEqual([503, '1']);
          expect(page.text).toContain('Sessions are not available at the moment');
        }
        expect(sessionIn(browser)).toBe(id);
      }
      await expect(first.a.live()).resolves.toMatchObject({ status: 200 });
      await expect(first.b.ready()).resolves.toMatchObject({ status: 200 });
    } finally {
      valkey.thaw();
    }
    await sleep(500);
    for (const at of addresses) expect((await chain(browser, at)).status).toBe(200);
  });

  it('end a session after a denial of the session at one replica (RS-13)', async () => {
    const id = sessionIn(browser) ?? '';
    const session = await second.a.app.get(UserSessions, { strict: false }).find(id);
    for (const at of addresses) expect((await chain(browser, at)).status).toBe(200);
    second.a.app.get(RevocationList, { strict: false }).deny({ sid: session?.sessionId ?? '' });
    // Service B may receive the denial before Service A.
    for (; sessionIn(browser) !== undefined; await sleep(10)) await chain(browser, addresses[0]);
    browser.setCookie(addresses[0], 'session', id);
    expect((await chain(browser, addresses[1])).status).toBe(401);
  });
});
