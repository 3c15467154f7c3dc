import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { moreTokensFor, tokensFor } from '../../libs/keycloak-test-servers/contract/code-cases.js';
import { LoginBrowser } from '../../libs/keycloak-test-servers/contract/login-browser.js';
import { clientCredentials, refresh, revoke, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { callerOf, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { nextSecond, pathOf } from '../../libs/keycloak-test-servers/contract/token-sets.js';
import {
  INTROSPECTION_CHANNEL,
  type IntrospectionMessage,
} from '../../libs/keycloak/src/diagnostics/introspection-channel.js';
import { keycloakEvents } from '../../libs/keycloak/src/entry-points/signals/index.js';
import {
  changePassword,
  CONSOLE_ACTS,
  consentingSubject,
  hasAccounts,
  leaveGroup,
  offlineSubject,
  removePassword,
  withdrawConsent,
} from '../support/account-acts.js';
import { FollowedService } from '../support/followed-service.js';
import { savesEventsOfConsole } from '../support/keycloak-version.js';
import { MovedClock } from '../support/moved-clock.js';
import {
  change,
  endAllSessions,
  endSession,
  isActiveAtKeycloak,
  lockForAWhile,
  lockForGood,
  logOut,
  newSubject,
  replacePassword,
  revokeAccessToken,
  revokeRefreshToken,
  takeRole,
  type Act,
  type MakeSubject,
  type SessionSubject,
} from '../support/session-subject.js';
import { READER, startSignalsRealm } from '../support/signals-realm.js';
import { until } from '../support/until.js';

const SHORT_SECONDS = 10;

/** If Keycloak saves no events for the account console, signals-not-reported.e2e-spec.ts tests the console. */
const OF_CONSOLE = savesEventsOfConsole()
  ? CONSOLE_ACTS.map(([what, act]): [string, MakeSubject, Act, string] => [what, newSubject, act, 'revoked'])
  : [];

const READS = { clientId: READER, source: keycloakEvents() } as const;

let server: ContractServer;
let service: FollowedService;

beforeAll(async () => {
  server = await startSignalsRealm();
  service = await FollowedService.start(server, READS);
});
afterAll(async () => {
  await service.stop();
  await server.stop();
});

async function knownSubject(make: MakeSubject = newSubject): Promise<SessionSubject> {
  const subject = await make(server);
  expect(await service.outcomeOf(subject.access)).toBe('accepted');
  return subject;
}

async function expectRefused(access: string, reason: string): Promise<void> {
  await service.untilRefused(access);
  expect(await service.outcomeOf(access)).toBe(reason);
}

const inNextSecond = (): number => Math.floor(Date.now() / 1000) + 1;

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

describe('a service that receives revocations', () => {
  it('introspects a token only once while no event about the token arrives', async () => {
    const clock = new MovedClock();
    const frugal = await FollowedService.start(server, { ...READS, shortSeconds: SHORT_SECONDS, clock });
    const { access } = await newSubject(server);
    await frugal.outcomeOf(access);
    const asked: unknown[] = [];
    const onMessage = (message: unknown): void => {
      const { issuer, outcome } = message as IntrospectionMessage;
      if (issuer === server.issuer) asked.push(outcome);
    };
    subscribe(INTROSPECTION_CHANNEL, onMessage);
    for (let times = 0; times < 4; times += 1) {
      clock.advance(SHORT_SECONDS - 1);
      await frugal.untilNextProof();
      await frugal.outcomeOf(access);
    }
    await frugal.stop();
    unsubscribe(INTROSPECTION_CHANNEL, onMessage);
    expect(asked).toEqual(['cached', 'cached', 'cached', 'cached']);
  });

  it.each<[string, Act, string]>([
    ['a user who logs out', logOut, 'revoked'],
    ['a session that an administrator ends', endSession, 'revoked'],
    ['a user whom an administrator signs out', change('POST', '/logout'), 'revoked'],
    ['a user who is deleted', change('DELETE'), 'revoked'],
    ['a user who is disabled', change('PUT', '', { enabled: false }), 'inactive'],
    ['a session whose refresh token is revoked', revokeRefreshToken, 'inactive'],
    ['a session whose access token is revoked', revokeAccessToken, 'inactive'],
    ['all sessions of the realm after an administrator ends the sessions', endAllSessions, 'inactive'],
  ])('refuses the tokens of %s (RS-13)', async (_, act, reason) => {
    const subject = await knownSubject();
    await act(subject, server);
    await expectRefused(subject.access, reason);
    await knownSubject();
  });

  it('accepts the tokens of one application after another application revokes its refresh token', async () => {
    const browser = new LoginBrowser(server);
    const [one, other] = [await server.newClient('web'), await server.newClient('web')];
    const ofOne = await tokensFor(server, one, browser);
    const ofOther = await moreTokensFor(server, other, browser);
    const [ended, kept] = [textOf(ofOne), textOf(ofOther)];
    expect([await service.outcomeOf(ended), await service.outcomeOf(kept)]).toEqual(['accepted', 'accepted']);
    await revoke(server, callerOf(one), textOf(ofOne, 'refresh_token'));
    await expectRefused(ended, 'inactive');
    expect(await isActiveAtKeycloak(server, kept)).toBe(true);
    expect(await service.outcomeOf(kept)).toBe('accepted');
  });

  (hasAccounts() ? describe : describe.skip)('at a server with an account console', () => {
    it.each<[string, MakeSubject, Act, string]>([
      ['a user whose consent an administrator withdraws', consentingSubject, withdrawConsent, 'inactive'],
      ['an offline session whose client loses the consent', offlineSubject, withdrawConsent, 'inactive'],
      ['a user who sets a new password and signs out everywhere else', newSubject, changePassword, 'revoked'],
      ...OF_CONSOLE,
    ])('refuses the tokens of %s (RS-13)', async (_, make, act, reason) => {
      const subject = await knownSubject(make);
      await act(subject, server);
      await expectRefused(subject.access, reason);
    });

    it('refuses the tokens of an offline session after an administrative logout (RS-13)', async () => {
      const subject = await knownSubject(offlineSubject);
      // Keycloak compares whole seconds, so a token from the same second stays active.
      await nextSecond();
      await change('POST', '/logout')(subject, server);
      await expectRefused(subject.access, 'revoked');
      expect(await isActiveAtKeycloak(server, subject.access)).toBe(false);
      expect((await refresh(server, subject.refresh, { client_id: subject.client })).status).toBe(400);
    });

    it.each<[string, Act]>([
      ['a password that an administrator removes', removePassword],
      ['a group that the user leaves', leaveGroup],
    ])('accepts the tokens despite this change: %s', (_, act) => expectRefusesNobodyFor(act));
  });

  it('refuses the tokens of a user who is locked out permanently (RS-13)', async () => {
    const subject = await knownSubject();
    const verified = await service.keycloak.verifier.verify(subject.access);
    await lockForGood(subject, server);
    // Waits for the denial, because a recheck after the realm change would also cause a refusal.
    await until(() => service.keycloak.revocations.denies(verified), 'the lock is received');
    expect(await service.outcomeOf(subject.access)).not.toBe('accepted');
    await knownSubject();
  });

  it('refuses the tokens of a client that is deleted (RS-13)', async () => {
    const { clientId, path } = await newCaller();
    const access = textOf(await clientCredentials(server, `${clientId}:the-secret`));
    expect(await service.outcomeOf(access)).toBe('accepted');
    await server.administrator.change('DELETE', path);
    await expectRefused(access, 'inactive');
  });

  it('refuses the tokens of a client while the client is disabled', async () => {
    const path = await pathOf(server, 'demo-cli');
    const { access } = await knownSubject();
    await server.administrator.change('PUT', path, { enabled: false });
    try {
      await expectRefused(access, 'inactive');
    } finally {
      await server.administrator.change('PUT', path, { enabled: true });
    }
    await until(async () => (await service.outcomeOf(access)) === 'accepted', 'the token is taken again');
  });

  it.each<[string, () => Promise<string>]>([
    ['the realm', async () => ''],
    ['their client', () => pathOf(server, 'demo-cli')],
  ])('refuses tokens that were issued before the notBefore of %s', async (_, find) => {
    const path = await find();
    const { access } = await knownSubject();
    await server.administrator.change('PUT', path, { notBefore: inNextSecond() });
    try {
      await expectRefused(access, 'inactive');
    } finally {
      await server.administrator.change('PUT', path, { notBefore: 0 });
    }
  });

  it.each<[string, Act]>([
    ['a new password that an administrator sets', replacePassword],
    ['a role that the user loses', takeRole],
    ['a user who is locked out temporarily after wrong passwords', lockForAWhile],
    [
      'a new secret of a client',
      async () => server.administrator.change('POST', `${(await newCaller()).path}/client-secret`),
    ],
  ])('accepts the tokens despite this change: %s', (_, act) => expectRefusesNobodyFor(act));

  async function expectRefusesNobodyFor(act: Act): Promise<void> {
    const subject = await knownSubject();
    await act(subject, server);
    await service.receiveLogout(server);
    expect(await service.outcomeOf(subject.access)).toBe('accepted');
    expect(await isActiveAtKeycloak(server, subject.access)).toBe(true);
  }
});
