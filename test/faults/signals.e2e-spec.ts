import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { claimsOf, SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { login, logout, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { composeKeycloak, type ComposedKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import { keycloakEvents } from '../../libs/keycloak/src/entry-points/signals/index.js';
import { SignalFeed } from '../../libs/keycloak/src/entry-points/signals/signal-feed.js';
import { startBentServer, type BentAnswer, type BentServer } from '../support/bent-server.js';
import { MovedClock } from '../support/moved-clock.js';
import { READER, startSignalsRealm } from '../support/signals-realm.js';
import { outcomeAt } from '../support/verification-outcome.js';
import { until } from '../support/until.js';

const [SHORT_SECONDS, LONG_SECONDS] = [10, 300];

let server: ContractServer;
let way: BentServer;
let clock: MovedClock;
let keycloak: ComposedKeycloak;
let feed: SignalFeed;
let lines: { readonly message: string; readonly fields: object }[];

beforeAll(async () => {
  server = await startSignalsRealm();
  way = await startBentServer(server.baseUrl);
});
afterAll(async () => {
  await way.stop();
  await server.stop();
});

beforeEach(async () => {
  way.bend = () => undefined;
  clock = new MovedClock();
  lines = [];
  const say = (message: string, fields: object): void => void lines.push({ message, fields });
  keycloak = composeKeycloak(
    {
      issuer: server.issuer,
      internalServerUrl: way.url,
      clientId: READER,
      clientSecret: SECRETS[READER],
      allowInsecureRequests: true,
      timeoutMs: 1000,
      introspectionTtlSeconds: SHORT_SECONDS,
      introspectionTtlWithEventsSeconds: LONG_SECONDS,
    },
    { clock, loggers: () => ({ log: say, warn: say, error: say }) },
  );
  feed = new SignalFeed(keycloak.issuers[0], keycloak.revocations, { sources: [keycloakEvents()], pollMs: 200 });
  feed.start();
  await until(isHealthy);
});
afterEach(() => feed.stop());

const isHealthy = (): boolean => keycloak.status.read().signals.state === 'healthy';

const outcomeOf = (token: string): Promise<string> => outcomeAt(keycloak, token);

async function newSubject(): Promise<{ readonly access: string; readonly refresh: string; readonly sid: string }> {
  const tokens = await login(server, await server.newUser('order-manager'));
  const access = textOf(tokens);
  return { access, refresh: textOf(tokens, 'refresh_token'), sid: String(claimsOf(access)['sid']) };
}

const reasons = (): unknown[] =>
  lines.filter(({ message }) => message.startsWith('Revocations are not received')).map(({ fields }) => fields);

const isLog = ({ pathname }: URL): boolean => /\/admin\/realms\/[^/]+\/(?:admin-)?events$/.test(pathname);
const isSettings = ({ pathname }: URL): boolean => pathname.endsWith('/events/config');
const answers =
  (answer: BentAnswer, isBent = isLog) =>
  (url: URL): BentAnswer | undefined =>
    isBent(url) ? answer : undefined;
const json = (body: unknown, status = 200): BentAnswer => ({ status, body: JSON.stringify(body) });

const logouts = (count: number): object[] =>
  Array.from({ length: count }, (_, at) => ({
    id: `flood-${at}`,
    time: Date.now(),
    type: 'LOGOUT',
    sessionId: `nobodys-${at}`,
  }));

const flood = (count: number) => {
  const rows = logouts(count);
  return (url: URL): BentAnswer | undefined => {
    // Requests for admin events and for the poller's own login get the real answers.
    if (!isLog(url) || url.pathname.endsWith('admin-events') || url.searchParams.has('client')) return undefined;
    const [first, max] = ['first', 'max'].map((name) => Number(url.searchParams.get(name)));
    return json(rows.slice(first, (first ?? 0) + (max ?? 0)));
  };
};

describe('the event log', () => {
  it.each<[string, (url: URL) => BentAnswer | undefined, string]>([
    ['resets the connection', answers('reset'), 'ECONNRESET'],
    ['hangs', answers('hang'), 'timeout'],
    ['answers 500', answers(json({}, 500)), 'answered_500'],
    ['answers 401', answers(json({}, 401)), 'forbidden'],
    ['answers 403', answers(json({}, 403)), 'forbidden'],
    ['is a login page', answers({ status: 200, body: '<html>', headers: { 'content-type': 'text/html' } }), ''],
    ['is not a list', answers(json({ events: [] })), 'answered_unexpectedly'],
    ['is empty', answers(json([])), 'own_login_not_seen'],
    ['lacks the login of the service', answers(json(logouts(3))), 'own_login_not_seen'],
    ['has a row of more than a megabyte', answers(json([{ id: 'x'.repeat(1_100_000) }])), ''],
    ['has more rows than the service reads', flood(20_000), ''],
    [
      'is switched off',
      (url) =>
        isLog(url)
          ? json([])
          : isSettings(url)
            ? json({ eventsEnabled: false, adminEventsEnabled: true, enabledEventTypes: [] })
            : undefined,
      'own_login_not_seen',
    ],
  ])(
    '%s: the service refuses a revoked token no later than a service without a feed (RS-13)',
    async (_, bend, reason) => {
      const [ended, honest] = [await newSubject(), await newSubject()];
      for (const { access } of [ended, honest]) expect(await outcomeOf(access)).toBe('accepted');
      way.bend = bend;
      await logout(server, ended.refresh);
      clock.advance(SHORT_SECONDS + 5);
      expect(await outcomeOf(ended.access)).not.toBe('accepted');
      expect(await outcomeOf(honest.access)).toBe('accepted');
      // The service logs the reason only if the failure lasts.
      if (reason !== '') await until(() => JSON.stringify(reasons()).includes(reason));
      way.bend = () => undefined;
      const before = keycloak.issuers[0].signals.latestMs;
      await until(() => keycloak.issuers[0].signals.latestMs > before);
      const later = await newSubject();
      expect([await outcomeOf(honest.access), await outcomeOf(later.access)]).toEqual(['accepted', 'accepted']);
    },
  );

  it('does not make cached results expire early if the log is unreachable for three seconds', async () => {
    const { access } = await newSubject();
    expect(await outcomeOf(access)).toBe('accepted');
    clock.advance(SHORT_SECONDS - 3);
    await until(() => clock.monotonicMs() - keycloak.issuers[0].signals.latestMs < 1000);
    way.bend = () => 'reset';
    clock.advance(3);
    expect(await outcomeOf(access)).toBe('accepted');
  });

  it('revokes the token of an ended session, but no later token, even among ten thousand logout events', async () => {
    const [ended, honest] = [await newSubject(), await newSubject()];
    for (const { access } of [ended, honest]) expect(await outcomeOf(access)).toBe('accepted');
    const rows = [...logouts(10_000), { id: 'this-one', time: Date.now(), type: 'LOGOUT', sessionId: ended.sid }];
    way.bend = (url) => {
      if (!isLog(url) || url.pathname.endsWith('admin-events') || url.searchParams.has('client')) return undefined;
      const [first, max] = ['first', 'max'].map((name) => Number(url.searchParams.get(name)));
      return json(rows.slice(first, (first ?? 0) + (max ?? 0)));
    };
    await until(async () => (await outcomeOf(ended.access)) === 'revoked');
    // After its list of denials was full, the service refuses all older tokens, so this check needs a new token.
    const later = await newSubject();
    expect(await outcomeOf(later.access)).toBe('accepted');
  });
});
