import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tokensFor } from '../../libs/keycloak-test-servers/contract/code-cases.js';
import { LoginBrowser } from '../../libs/keycloak-test-servers/contract/login-browser.js';
import {
  clientCredentials,
  exchangeForB,
  login,
  request,
  textOf,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import { HOME, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { nextSecond, pathOf } from '../../libs/keycloak-test-servers/contract/token-sets.js';
import { sharedSignals } from '../../libs/keycloak/src/entry-points/signals/index.js';
import {
  changePassword,
  CONSOLE_ACTS,
  consentingSubject,
  hasAccounts,
  offlineSubject,
  removePassword,
  withdrawConsent,
} from '../support/account-acts.js';
import { FollowedService } from '../support/followed-service.js';
import {
  change,
  endAllSessions,
  endSession,
  isActiveAtKeycloak,
  lockForGood,
  logOut,
  newSubject,
  refreshTwice,
  replacePassword,
  revokeAccessToken,
  revokeRefreshToken,
  takeRole,
  type Act,
  type MakeSubject,
} from '../support/session-subject.js';
import { hasTransmitter, MAKER, RECEIVER, startSsfRealm, STREAM_ID } from '../support/ssf-realm.js';
import { until } from '../support/until.js';

/** The outcomes for a user's token before `act`, the same token after `act`, and a later user's token. */
const REFUSED = ['accepted', 'revoked', 'accepted'];

/** The outcome at the service, and whether Keycloak reports the token active. */
const STILL_GOOD = ['accepted', true];
const NOT_REPORTED = ['accepted', false];

let server: ContractServer;

const start = (clientId: typeof RECEIVER | typeof MAKER): Promise<FollowedService> =>
  FollowedService.start(server, { clientId, source: sharedSignals() });

const ofOwnClient: MakeSubject = async () => newSubject(server, { client: await server.newClient('login') });

async function setNotBefore(path: string): Promise<void> {
  await nextSecond();
  await server.administrator.change('PUT', path, { notBefore: Math.floor(Date.now() / 1000) });
}

(hasTransmitter() ? describe : describe.skip)('a service that receives revocations by shared signals', () => {
  let service: FollowedService;

  beforeAll(async () => {
    server = await startSsfRealm();
    service = await start(RECEIVER);
  });
  afterAll(async () => {
    await service.stop();
    await server.stop();
  });

  it.each<[string, Act]>([
    ['a user who logs out', logOut],
    ['a user whom an administrator signs out', change('POST', '/logout')],
  ])('refuses the tokens of %s (RS-13)', async (_, act) => {
    expect(await outcomesAround(act)).toEqual(REFUSED);
  });

  (hasAccounts() ? describe : describe.skip)('at a server with an account console', () => {
    it.each<[string, Act, MakeSubject]>([
      ['a user who sets a new password and signs out everywhere else', changePassword, newSubject],
      ['an offline session whose user an administrator signs out', change('POST', '/logout'), offlineSubject],
    ])('refuses the tokens of %s (RS-13)', async (_, act, make) => {
      expect(await outcomesAround(act, make)).toEqual(REFUSED);
    });

    it('accepts the tokens of a user whose password an administrator removes', async () => {
      expect(await outcomesAfter(removePassword)).toEqual(STILL_GOOD);
    });

    it.each<[string, Act, MakeSubject]>([
      ['a user whose consent an administrator withdraws', withdrawConsent, consentingSubject],
      ...CONSOLE_ACTS.map(([what, act]): [string, Act, MakeSubject] => [what, act, newSubject]),
    ])('receives no event about %s', async (_, act, make) => {
      expect(await outcomesAfter(act, make)).toEqual(NOT_REPORTED);
    });
  });

  async function outcomesAround(act: Act, make: MakeSubject = newSubject): Promise<readonly string[]> {
    const subject = await make(server);
    const before = await service.outcomeOf(subject.access);
    await act(subject, server);
    await service.untilRefused(subject.access);
    const later = await newSubject(server);
    return [before, await service.outcomeOf(subject.access), await service.outcomeOf(later.access)];
  }

  it('refuses the tokens of a user who logs out in the browser (RS-13)', async () => {
    const access = await loggedOutInBrowser({ post_logout_redirect_uri: HOME });
    await service.untilRefused(access);
    expect(await service.outcomeOf(access)).toBe('revoked');
  });

  it('accepts the tokens of a user who logs in after an administrative logout', async () => {
    const subject = await newSubject(server);
    await service.outcomeOf(subject.access);
    await change('POST', '/logout')(subject, server);
    await service.untilRefused(subject.access);
    // Waits for the next second, because `iat` counts whole seconds.
    await sleep(1000 - (Date.now() % 1000));
    expect(await service.outcomeOf(textOf(await login(server, subject.username)))).toBe('accepted');
  });

  it.each<[string, Act]>([
    ['a new password that an administrator sets', replacePassword],
    ['a role that the user loses', takeRole],
  ])('accepts the tokens despite this change: %s', async (_, act) => {
    expect(await outcomesAfter(act)).toEqual(STILL_GOOD);
  });

  // docs/revocation-reference.md#by-cause lists the changes for which Keycloak sends no event.
  it.each<[string, Act]>([
    ['a session that an administrator ends', endSession],
    ['the end of all sessions of the realm', endAllSessions],
    ['a user who is disabled', change('PUT', '', { enabled: false })],
    ['a user who is deleted', change('DELETE')],
    ['a user who is locked out permanently after wrong passwords', lockForGood],
    ['a refresh token that is revoked', revokeRefreshToken],
    ['an access token that is revoked', revokeAccessToken],
    ['a refresh token that is used twice', refreshTwice],
  ])('receives no event about %s', async (_, act) => {
    expect(await outcomesAfter(act)).toEqual(NOT_REPORTED);
  });

  it.each<[string, Act]>([
    ['a client that is disabled', ({ client }) => server.disableClient(client)],
    [
      'a client that is deleted',
      async ({ client }) => server.administrator.change('DELETE', await pathOf(server, client)),
    ],
    ['a new notBefore of a client', async ({ client }) => setNotBefore(await pathOf(server, client))],
  ])('receives no event about %s', async (_, act) => {
    expect(await outcomesAfter(act, ofOwnClient)).toEqual(NOT_REPORTED);
  });

  it('receives no event about a new notBefore of the realm', async () => {
    try {
      expect(await outcomesAfter(() => setNotBefore(''))).toEqual(NOT_REPORTED);
    } finally {
      await server.administrator.change('PUT', '', { notBefore: 0 });
    }
  });

  it('receives no event if a browser logs out without post_logout_redirect_uri', async () => {
    const access = await loggedOutInBrowser({});
    await service.receiveLogout(server);
    expect(await service.outcomeOf(access)).toBe('accepted');
  });

  async function outcomesAfter(act: Act, make: MakeSubject = newSubject): Promise<readonly unknown[]> {
    const subject = await make(server);
    expect(await service.outcomeOf(subject.access)).toBe('accepted');
    await act(subject, server);
    await service.receiveLogout(server);
    return [await service.outcomeOf(subject.access), await isActiveAtKeycloak(server, subject.access)];
  }

  async function loggedOutInBrowser(parameters: Readonly<Record<string, string>>): Promise<string> {
    const browser = new LoginBrowser(server);
    const tokens = await tokensFor(server, await server.newClient('web'), browser);
    const access = textOf(tokens);
    expect(await service.outcomeOf(access)).toBe('accepted');
    const query = new URLSearchParams({ id_token_hint: textOf(tokens, 'id_token'), ...parameters }).toString();
    await browser.get(`/protocol/openid-connect/logout?${query}`);
    return access;
  }

  it('receives all events through a stream that other replicas of the service also use', async () => {
    const others = await Promise.all([start(RECEIVER), start(RECEIVER)]);
    const all = [service, ...others];
    const subjects = await Promise.all(Array.from({ length: 10 }, () => newSubject(server)));
    const outcomes = async (): Promise<readonly string[]> =>
      Promise.all(all.flatMap((one) => subjects.map(({ access }) => one.outcomeOf(access))));
    expect(new Set(await outcomes())).toEqual(new Set(['accepted']));
    for (const subject of subjects) await logOut(subject, server);
    const areRefused = async (): Promise<boolean> => (await outcomes()).every((outcome) => outcome === 'revoked');
    await until(areRefused, 'all tokens are refused everywhere');
    await Promise.all(others.map((one) => one.stop()));
  });

  it('receives an event about an exchanged token through a stream that the service itself has created', async () => {
    const maker = await start(MAKER);
    const subject = await newSubject(server);
    const token = await exchangeForB(server, subject.access);
    expect(await maker.outcomeOf(token)).toBe('accepted');
    await logOut(subject, server);
    await maker.untilRefused(token);
    expect(await maker.outcomeOf(token)).toBe('revoked');
    await maker.stop();
  });

  it('receives the events of a paused stream after the pause', async () => {
    const token = textOf(await clientCredentials(server, RECEIVER, 'ssf.manage'));
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const setStatus = async (status: string): Promise<void> => {
      const body = JSON.stringify({ stream_id: STREAM_ID, status });
      const answer = await request(server, '/ssf/transmitter/streams/status', { method: 'POST', headers, body });
      expect(answer.status).toBe(200);
    };
    const subject = await newSubject(server);
    expect(await service.outcomeOf(subject.access)).toBe('accepted');
    await setStatus('paused');
    await logOut(subject, server);
    await until(() => service.faults.includes('stream_paused'), 'the stream is paused');
    expect(await service.outcomeOf(subject.access)).toBe('accepted');
    await setStatus('enabled');
    await service.untilRefused(subject.access);
    expect(await service.outcomeOf(subject.access)).toBe('revoked');
  });
});
