import { afterEach, describe, expect, it } from '@jest/globals';
import { startAuthorizationServer, startFaultProxy, startKeycloak, testServer } from 'keycloak-test-servers';
import { REALM_ENVIRONMENT, REALM_FILE, SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { login, logout, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { contractServerAt, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { FixedSecret } from '../../libs/keycloak/src/client-authentication/client-authentication.js';
import { SILENT } from '../../libs/keycloak/src/resilience/component-log.js';
import { composeKeycloak, type ComposedKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import { keycloakEvents, sharedSignals } from '../../libs/keycloak/src/entry-points/signals/index.js';
import { SignalFeed } from '../../libs/keycloak/src/entry-points/signals/signal-feed.js';
import type { SignalSource } from '../../libs/keycloak/src/entry-points/signals/signal-source.js';
import type { ServerAddress } from '../support/running-services.js';
import { MovedClock } from '../support/moved-clock.js';
import { startSignalsRealm } from '../support/signals-realm.js';
import { hasTransmitter, startSsfRealm } from '../support/ssf-realm.js';
import { until } from '../support/until.js';
import { outcomeAt } from '../support/verification-outcome.js';

const [SHORT_SECONDS, LONG_SECONDS] = [10, 300];
const REFUSED = /^(?:revoked|inactive)$/;
const ANSWERED = /^(?:accepted|revoked|inactive)$/;
const SERVICE = 'service-a';
const POLLER = 'signal-poller';

class Service {
  readonly clock = new MovedClock();
  readonly #keycloak: ComposedKeycloak;
  readonly #feed: SignalFeed;

  constructor({ issuer, baseUrl }: ServerAddress, source: SignalSource, pollsAs?: string) {
    const options = {
      issuer,
      internalServerUrl: baseUrl,
      clientId: SERVICE,
      clientSecret: SECRETS[SERVICE],
      allowInsecureRequests: true,
      timeoutMs: 1000,
      introspectionTtlSeconds: SHORT_SECONDS,
      introspectionTtlWithEventsSeconds: LONG_SECONDS,
    };
    this.#keycloak = composeKeycloak(options, { clock: this.clock, loggers: () => SILENT });
    const client = pollsAs && { clientId: pollsAs, clientAuthentication: new FixedSecret(SECRETS[POLLER]) };
    this.#feed = new SignalFeed(this.#keycloak.issuers[0], this.#keycloak.revocations, {
      sources: [source],
      pollMs: 250,
      client: client || undefined,
    });
    this.#feed.start();
  }

  get state(): string {
    return this.#keycloak.status.read().signals.state;
  }

  async untilHealthy(): Promise<void> {
    await until(() => this.state === 'healthy', 'the feed is healthy');
  }

  outcomeOf(token: string): Promise<string> {
    return outcomeAt(this.#keycloak, token);
  }

  stop(): Promise<void> {
    return this.#feed.stop();
  }
}

interface Subject {
  readonly access: string;
  readonly refresh: string;
}

async function newSubject(server: ContractServer): Promise<Subject> {
  const tokens = await login(server, await server.newUser('order-manager'));
  return { access: textOf(tokens), refresh: textOf(tokens, 'refresh_token') };
}

let service: Service | undefined;
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await service?.stop();
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function expectSilence(of: Service, known: readonly string[]): Promise<void> {
  for (const token of known) expect(await of.outcomeOf(token)).toBe('accepted');
  of.clock.advance(SHORT_SECONDS);
  expect(of.state).toBe('silent');
  for (const token of known) expect(await of.outcomeOf(token)).not.toMatch(ANSWERED);
}

describe('Keycloak after an outage that is longer than the ttl', () => {
  async function outcomesAround(source: SignalSource, starting: Promise<ContractServer>): Promise<readonly string[]> {
    const server = await starting;
    stops.push(() => server.stop());
    const proxy = await startFaultProxy({ target: server.baseUrl });
    stops.push(() => proxy.stop());
    const here = (service = new Service({ issuer: server.issuer, baseUrl: proxy.baseUrl }, source));
    await here.untilHealthy();
    const [ended, endedLater, honest] = [await newSubject(server), await newSubject(server), await newSubject(server)];
    const all = [ended, endedLater, honest].map(({ access }) => access);
    const outcomes = (): Promise<string[]> => Promise.all(all.map((token) => here.outcomeOf(token)));
    const before = await outcomes();
    await proxy.fault({ kind: 'refuse' });
    proxy.resetConnections();
    await expectSilence(here, all);
    await logout(server, ended.refresh);
    await proxy.fault(undefined);
    await logout(server, endedLater.refresh);
    await here.untilHealthy();
    await until(async () => REFUSED.test(await here.outcomeOf(endedLater.access)), 'the logout is received');
    return [...before, ...(await outcomes())];
  }
  const [accepted, refused] = ['accepted', expect.stringMatching(REFUSED)];
  const expected = [accepted, accepted, accepted, refused, refused, accepted];

  it('lists missed events in its event log, so the service refuses only tokens of ended sessions', async () => {
    expect(await outcomesAround(keycloakEvents(), startSignalsRealm())).toEqual(expected);
  });

  (hasTransmitter() ? describe : describe.skip)('with a transmitter', () => {
    it('sends the missed events through its stream, so the service refuses only tokens of ended sessions', async () => {
      expect(await outcomesAround(sharedSignals(), startSsfRealm())).toEqual(expected);
    });
  });
});

async function startAnew(port?: number): Promise<{ readonly server: ContractServer; kill(): Promise<void> }> {
  const { kind } = testServer();
  const options = {
    realm: REALM_FILE,
    environment: { ...REALM_ENVIRONMENT, SIGNALS_EVENTS: 'true' },
    ...(port === undefined ? {} : { port }),
  };
  if (kind === 'embedded') {
    const started = await startAuthorizationServer(options);
    return { server: contractServerAt(started.baseUrl), kill: () => started.stop() };
  }
  const started = await startKeycloak({ ...options, ...(kind === 'external' ? {} : { using: kind }) });
  return { server: contractServerAt(started.baseUrl), kill: () => started.kill() };
}

describe('a killed Keycloak that starts again with an empty database', () => {
  it('reports tokens from before the restart as inactive', async () => {
    const { server, kill } = await startAnew();
    stops.push(kill);
    const here = (service = new Service({ issuer: server.issuer, baseUrl: server.baseUrl }, keycloakEvents(), POLLER));
    await here.untilHealthy();
    const [used, unused] = [await newSubject(server), await newSubject(server)];
    for (const { access } of [used, unused]) expect(await here.outcomeOf(access)).toBe('accepted');
    await kill();
    await expectSilence(here, [used.access]);
    const { server: another, kill: killAnother } = await startAnew(Number(new URL(server.baseUrl).port));
    stops.push(killAnother);
    const ended = await newSubject(another);
    expect(await here.outcomeOf(ended.access)).toBe('accepted');
    await logout(another, ended.refresh);
    await until(async () => (await here.outcomeOf(ended.access)) === 'revoked', 'the logout is received');
    await here.untilHealthy();
    for (const { access } of [used, unused]) expect(await here.outcomeOf(access)).toBe('inactive');
    expect(await here.outcomeOf((await newSubject(another)).access)).toBe('accepted');
  });
});
