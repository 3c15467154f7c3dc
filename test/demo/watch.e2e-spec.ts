import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MAX_WATCHES, MAX_WATCHES_PER_USER } from '../../apps/service-a/src/watch/watches.js';
import { Browser } from '../../libs/keycloak-test-servers/contract/browser.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { EventListener, type ServerEvent } from '../support/event-listener.js';
import { receiveRevocations } from '../support/receive-revocations.js';
import { logInAt } from '../support/login-at.js';
import { RunningServices, ttl, WITHOUT_DEMO_MODE } from '../support/running-services.js';
import { startSignalsRealm } from '../support/signals-realm.js';
import type { RunningService, Variables } from '../support/running-service.js';

let server: ContractServer;
beforeAll(async () => {
  server = await startSignalsRealm();
});
afterAll(() => server.stop());

const start = (variables: Variables): Promise<RunningServices> => {
  const own = { 'service-a': { PUBLIC_URL: publicUrl } };
  return RunningServices.start({ server, own, variables: { ...ttl(10), ...variables } });
};

interface Visitor {
  readonly username: string;
  readonly browser: Browser;
  readonly headers: Readonly<Record<string, string>>;
}

async function visitor(
  { a }: RunningServices,
  role: 'order-manager' | 'order-viewer' = 'order-manager',
): Promise<Visitor> {
  const username = await server.newUser(role);
  const browser = new Browser();
  expect((await logInAt(a.url, browser, username)).status).toBe(303);
  return { username, browser, headers: { cookie: `session=${browser.cookie(a.url, 'session')}` } };
}

async function several(services: RunningServices, count: number): Promise<Visitor[]> {
  const visitors: Visitor[] = [];
  while (visitors.length < count) visitors.push(await visitor(services));
  return visitors;
}

const listen = ({ a }: RunningServices, { headers }: Pick<Visitor, 'headers'>): Promise<EventListener> =>
  EventListener.open(`${a.url}/watch`, headers);

const saying =
  (words: RegExp) =>
  ({ data }: ServerEvent): boolean =>
    words.test(/<p id="watch-words">([^<]*)/.exec(data)?.[1] ?? '');

const ALL_ACCEPT = /^Your session is active: Services A, B and C accept its tokens\.$/;

async function askedAgain({ arrivedTokens }: RunningService, times: number): Promise<void> {
  for (const wanted = arrivedTokens.length + times; arrivedTokens.length < wanted;) await sleep(20);
}

describe('a page that reports token refusals', () => {
  it('shows the time from the event to the refusal at each service', async () => {
    const services = await start({});
    const feeds = await receiveRevocations(services, server);
    const alice = await visitor(services);
    const events = await listen(services, alice);
    expect([events.status, events.headers['content-type'], events.headers['cache-control']]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'no-store',
    ]);
    const accepted = await events.until(saying(ALL_ACCEPT));
    expect(accepted.data).toContain('data-watch="watching"');
    expect(accepted.data).toContain('A signal feed runs at Service A');
    await server.disableUser(alice.username);
    const turned = await events.until(saying(/^Refused [^;]*$/));
    expect(turned.data).toContain('data-watch="refused"');
    expect(turned.data).toMatch(/<strong>Service B<\/strong> <span class="watch-word">refused after \d\.\d s/);
    expect(turned.data).toContain('<div id="session">');
    expect(turned.data).toContain("Counted from the time of the event in Keycloak's log.".replace("'", '&#39;'));
    await events.ended();
    expect(events.events.at(-1)).toEqual({ event: 'end', data: '' });
    services.scanner.inspect('the events', events.text);
    expect(services.scanner.leaks()).toEqual([]);
    await feeds.stop();
    await services.stop();
  });

  it('names the services that accept the token because they received no event', async () => {
    const services = await start(ttl(3));
    const feeds = await receiveRevocations(services, server, []);
    const alice = await visitor(services);
    const events = await listen(services, alice);
    await events.until(saying(ALL_ACCEPT));
    await server.disableUser(alice.username);
    const atA = await events.until(
      saying(/^Refused \d\.\d s later, at A; Services B and C still accept the session\.$/),
    );
    expect(atA.data).toMatch(/<strong>Service B<\/strong> <span class="watch-word">accepts its token/);
    const atAll = await events.until(saying(/^Refused \d\.\d s later at A, \d\.\d s at [BC][^;]*$/));
    expect(atAll.data).toMatch(/<strong>Service B<\/strong> <span class="watch-word">refused after \d\.\d s/);
    await events.ended();
    await feeds.stop();
    await services.stop();
  });
});

describe('a page that reports token refusals without a feed', () => {
  let services: RunningServices;
  beforeAll(async () => {
    services = await start({});
  });
  afterAll(() => services.stop());

  it('says that no feed runs, and causes no calls to Keycloak', async () => {
    const alice = await visitor(services);
    const events = await listen(services, alice);
    const accepted = await events.until(saying(ALL_ACCEPT));
    expect(accepted.data).toContain('No signal feed runs here: a service refuses within 10 s.');
    const { calls } = await services.keycloak.during(() => askedAgain(services.b, 10));
    expect(calls).toEqual([]);
    events.close();
  });

  it('shows only Service A to a user without access to Services B and C', async () => {
    const events = await listen(services, await visitor(services, 'order-viewer'));
    const { data } = await events.until(saying(/^Your session is active: Service A accepts its token\.$/));
    expect(data).not.toContain('Service B');
    events.close();
  });

  it('receives events only if it is a page of Service A with a session', async () => {
    const alice = await visitor(services);
    const refused = async (headers: Readonly<Record<string, string>>): Promise<number> => {
      const { status } = await listen(services, { headers });
      return status;
    };
    const token = textOf(await login(server, alice.username, 'openid attacks.run'));
    expect([
      await refused({}),
      await refused({ cookie: 'session=guessed' }),
      await refused({ authorization: `Bearer ${token}` }),
      await refused({ ...alice.headers, authorization: `Bearer ${token}` }),
      await refused({ ...alice.headers, 'sec-fetch-site': 'cross-site' }),
    ]).toEqual([401, 401, 401, 401, 403]);
  });
});

describe('the event stream that reports token refusals', () => {
  it('is limited to twenty pages in total, and to five pages for each user', async () => {
    const services = await start({});
    const [alice, ...others] = [
      await visitor(services),
      ...(await several(services, MAX_WATCHES / MAX_WATCHES_PER_USER)),
    ];
    const all = (one: Visitor) => Array.from({ length: MAX_WATCHES_PER_USER }, () => listen(services, one));
    const ofAlice = await Promise.all(all(alice));
    expect(ofAlice.map(({ status }) => status)).toEqual(Array(MAX_WATCHES_PER_USER).fill(200));
    expect((await listen(services, alice)).status).toBe(503);
    const [last, ...before] = others;
    const open = [...ofAlice, ...(await Promise.all(before.flatMap(all)))];
    expect(open.map(({ status }) => status)).toEqual(Array(MAX_WATCHES).fill(200));
    if (last === undefined) throw new Error('There is nobody else');
    expect((await listen(services, last)).status).toBe(503);
    open[0]?.close();
    let next = await listen(services, alice);
    for (; next.status === 503; next = await listen(services, alice)) await sleep(20);
    expect(next.status).toBe(200);
    for (const one of [...open, next]) one.close();
    await services.stop();
  });

  it('does not keep a session alive', async () => {
    const services = await start({ SESSION_IDLE_SECONDS: '1' });
    const alice = await visitor(services);
    const events = await listen(services, alice);
    await events.until(saying(ALL_ACCEPT));
    await askedAgain(services.b, 20);
    expect((await alice.browser.send(services.a.url)).text).not.toContain(alice.username);
    events.close();
    await services.stop();
  });

  it('ends when Service A stops', async () => {
    const services = await start({});
    const events = await listen(services, await visitor(services));
    await events.until(saying(ALL_ACCEPT));
    await services.stop();
    await events.ended();
    expect(events.events.at(-1)?.event).toBe('end');
  });

  it('is off if the services introspect the token at each request', async () => {
    const services = await start(ttl(0));
    const { browser, username } = await visitor(services);
    const { text } = await browser.send(services.a.url);
    expect(text).toContain(`Logged in as <strong>${username}`);
    expect(text).not.toContain('id="watch"');
    await services.stop();
  });

  it('is off outside of demo mode', async () => {
    const services = await start(WITHOUT_DEMO_MODE);
    expect((await listen(services, { headers: {} })).status).toBe(404);
    await services.stop();
  });
});
