/** What a service refuses that hears of revocations by the event log, while its answers serve for five minutes. */
import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { claimsOf, SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import {
  clientCredentials,
  login,
  logout,
  revoke,
  textOf,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { pathOf } from '../../libs/keycloak-test-servers/contract/token-sets.js';
import { systemClock, type Clock } from '../../libs/keycloak/src/caching/clock.js';
import { composeKeycloak, type ComposedKeycloak } from '../../libs/keycloak/src/compose-keycloak.js';
import {
  INTROSPECTION_CHANNEL,
  type IntrospectionMessage,
} from '../../libs/keycloak/src/diagnostics/introspection-channel.js';
import { keycloakEvents } from '../../libs/keycloak/src/signals/index.js';
import { SignalFeed } from '../../libs/keycloak/src/signals/signal-feed.js';
import { MovedClock } from '../support/moved-clock.js';
import { READER, startSignalsRealm } from '../support/signals-realm.js';
import { outcomeAt } from '../support/verification-outcome.js';

const SHORT_SECONDS = 10;
const LONG_SECONDS = 300;
const WITHIN_MS = 20_000;

let server: ContractServer;
let keycloak: ComposedKeycloak;
let feed: SignalFeed;

/** A service whose answers serve for so long by themselves. */
async function followed(
  introspectionTtlSeconds: number,
  clock: Clock = systemClock,
): Promise<{ keycloak: ComposedKeycloak; feed: SignalFeed }> {
  const options = {
    issuer: server.issuer,
    clientId: READER,
    clientSecret: SECRETS[READER],
    allowInsecureRequests: true,
    introspectionTtlSeconds,
    introspectionTtlWhileSignalledSeconds: LONG_SECONDS,
  };
  const composed = composeKeycloak(options, { clock });
  const follows = new SignalFeed(composed.issuers[0], composed.revocations, {
    sources: [keycloakEvents()],
    pollMs: 250,
  });
  follows.start();
  await until(async () => composed.status.read().signals.state === 'proven');
  return { keycloak: composed, feed: follows };
}

beforeAll(async () => {
  server = await startSignalsRealm();
  // Longer than any row waits: what is refused before is refused because it was heard of.
  ({ keycloak, feed } = await followed(60));
});
afterAll(async () => {
  await feed.stop();
  await server.stop();
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const began = performance.now(); !(await isSo()); await sleep(50)) {
    if (performance.now() - began > WITHIN_MS) throw new Error('It does not come about');
  }
}

const outcomeOf = (token: string): Promise<string> => outcomeAt(keycloak, token);

interface Subject {
  readonly username: string;
  readonly sub: string;
  readonly sid: string;
  readonly access: string;
  readonly refresh: string;
  readonly path: string;
}

async function newSubject(): Promise<Subject> {
  const username = await server.newUser('order-manager');
  const tokens = await login(server, username);
  const access = textOf(tokens);
  const { sub, sid } = claimsOf(access) as { readonly sub: string; readonly sid: string };
  return { username, sub, sid, access, refresh: textOf(tokens, 'refresh_token'), path: `/users/${sub}` };
}

const known = async (token: string): Promise<void> => expect(await outcomeOf(token)).toBe('accepted');

type Act = (subject: Subject) => Promise<unknown>;
const change =
  (method: 'POST' | 'PUT' | 'DELETE', below = '', body?: object): Act =>
  ({ path }) =>
    server.administrator.change(method, path + below, body);
const nextSecond = (): number => Math.floor(Date.now() / 1000) + 1;

/** A client with a service account, whose tokens are for this service. */
async function newCaller(): Promise<{ readonly clientId: string; readonly path: string }> {
  const clientId = `caller-${randomUUID()}`;
  const audience = { 'included.client.audience': READER, 'access.token.claim': 'true' };
  const path = await server.administrator.create('/clients', {
    clientId,
    secret: 'the-secret',
    publicClient: false,
    serviceAccountsEnabled: true,
    protocolMappers: [
      { name: 'audience', protocol: 'openid-connect', protocolMapper: 'oidc-audience-mapper', config: audience },
    ],
  });
  return { clientId, path };
}

describe('a service that hears of revocations', () => {
  it('asks about a token once, however old the answer is, while nothing is heard of it', async () => {
    const clock = new MovedClock();
    const frugal = await followed(SHORT_SECONDS, clock);
    const { access } = await newSubject();
    await frugal.keycloak.verifier.verify(access);
    const asked: unknown[] = [];
    const onMessage = (message: unknown): void => {
      const { issuer, outcome } = message as IntrospectionMessage;
      if (issuer === server.issuer) asked.push(outcome);
    };
    subscribe(INTROSPECTION_CHANNEL, onMessage);
    const { signals } = frugal.keycloak.issuers[0];
    for (let times = 0; times < 4; times += 1) {
      const proven = signals.latestMs;
      clock.advance(SHORT_SECONDS - 1);
      await until(async () => signals.latestMs > proven);
      await frugal.keycloak.verifier.verify(access);
    }
    await frugal.feed.stop();
    unsubscribe(INTROSPECTION_CHANNEL, onMessage);
    expect(asked).toEqual(['cached', 'cached', 'cached', 'cached']);
  });

  it.each<[string, Act, string]>([
    ['a logout', ({ refresh }) => logout(server, refresh), 'revoked'],
    [
      'a session that an administrator ends',
      ({ sid }) => server.administrator.change('DELETE', `/sessions/${sid}`),
      'revoked',
    ],
    ['a user whom an administrator signs out', change('POST', '/logout'), 'revoked'],
    ['a user who is deleted', change('DELETE'), 'revoked'],
    ['a user who is disabled', change('PUT', '', { enabled: false }), 'inactive'],
    [
      'a refresh token that is revoked',
      ({ refresh }) => revoke(server, undefined, refresh, { client_id: 'demo-cli' }),
      'revoked',
    ],
    [
      'an access token that is revoked',
      ({ access }) => revoke(server, undefined, access, { client_id: 'demo-cli' }),
      'inactive',
    ],
    ['all sessions of the realm, ended', () => server.administrator.change('POST', '/logout-all'), 'inactive'],
  ])('refuses the tokens of %s (RS-13)', async (_, act, reason) => {
    const subject = await newSubject();
    await known(subject.access);
    await act(subject);
    await until(async () => (await outcomeOf(subject.access)) !== 'accepted');
    expect(await outcomeOf(subject.access)).toBe(reason);
    // Whoever logs in after it is nobody's victim.
    const later = await newSubject();
    expect(await outcomeOf(later.access)).toBe('accepted');
  });

  it('refuses the tokens of a user who guessed too often, and is locked out for good (RS-13)', async () => {
    const { username, access } = await newSubject();
    const verified = await keycloak.verifier.verify(access);
    await server.administrator.change('PUT', '', { permanentLockout: true, failureFactor: 1 });
    try {
      await login(server, username, 'openid', 'demo-cli', 'a wrong password');
      // It may be found inactive sooner, since a change of the realm has all tokens asked about.
      await until(async () => keycloak.revocations.denies(verified));
      expect(await outcomeOf(access)).not.toBe('accepted');
    } finally {
      await server.administrator.change('PUT', '', { permanentLockout: false, failureFactor: 10 });
    }
    expect(await outcomeOf((await newSubject()).access)).toBe('accepted');
  });

  it('refuses the tokens of a client that is deleted (RS-13)', async () => {
    const { clientId, path } = await newCaller();
    const access = textOf(await clientCredentials(server, `${clientId}:the-secret`));
    await known(access);
    await server.administrator.change('DELETE', path);
    await until(async () => (await outcomeOf(access)) !== 'accepted');
    expect(await outcomeOf(access)).toBe('inactive');
  });

  it('refuses the tokens of a client that is disabled, and takes them again once it is enabled', async () => {
    const path = await pathOf(server, 'demo-cli');
    const { access } = await newSubject();
    await known(access);
    await server.administrator.change('PUT', path, { enabled: false });
    try {
      await until(async () => (await outcomeOf(access)) !== 'accepted');
      expect(await outcomeOf(access)).toBe('inactive');
    } finally {
      await server.administrator.change('PUT', path, { enabled: true });
    }
    await until(async () => (await outcomeOf(access)) === 'accepted');
  });

  it.each<[string, (path: string) => Promise<unknown>]>([
    ['the realm', () => server.administrator.change('PUT', '', { notBefore: nextSecond() })],
    [
      'their client',
      async () => server.administrator.change('PUT', await pathOf(server, 'demo-cli'), { notBefore: nextSecond() }),
    ],
  ])('refuses tokens that are from before the notBefore of %s', async (which, act) => {
    const { access, path } = await newSubject();
    await known(access);
    await act(path);
    try {
      await until(async () => (await outcomeOf(access)) !== 'accepted');
      expect(await outcomeOf(access)).toBe('inactive');
    } finally {
      const place = which === 'the realm' ? '' : await pathOf(server, 'demo-cli');
      await server.administrator.change('PUT', place, { notBefore: 0 });
    }
  });

  it.each<[string, Act]>([
    [
      'a new password from an administrator',
      change('PUT', '/reset-password', { type: 'password', value: 'another', temporary: false }),
    ],
    ['a role that is taken', ({ username }) => server.takeRole(username, 'order-manager')],
    [
      'another secret of a client',
      async () => {
        const { path } = await newCaller();
        await server.administrator.change('POST', `${path}/client-secret`);
      },
    ],
  ])('refuses nobody for %s', async (_, act) => {
    const [subject, marker] = [await newSubject(), await newSubject()];
    await known(subject.access);
    const marked = await keycloak.verifier.verify(marker.access);
    await act(subject);
    await logout(server, marker.refresh);
    // What came before it was heard of, too.
    await until(async () => keycloak.revocations.denies(marked));
    expect(await outcomeOf(subject.access)).toBe('accepted');
  });
});
