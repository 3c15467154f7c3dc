/** What a service refuses that hears of revocations by shared signals, while its answers serve for longer than any test waits. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import { tokensFor } from '../../libs/keycloak-test-servers/contract/code-cases.js';
import { claimsOf, SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { LoginBrowser } from '../../libs/keycloak-test-servers/contract/login-browser.js';
import {
  clientCredentials,
  exchangeForB,
  login,
  logout,
  request,
  textOf,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import { HOME, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { SILENT } from '../../libs/keycloak/src/component-log.js';
import { composeKeycloak, type ComposedKeycloak } from '../../libs/keycloak/src/compose-keycloak.js';
import { Refusal } from '../../libs/keycloak/src/protocol/refusal.js';
import { sharedSignals } from '../../libs/keycloak/src/signals/index.js';
import { SignalFeed } from '../../libs/keycloak/src/signals/signal-feed.js';
import { hasTransmitter, MAKER, RECEIVER, startSsfRealm, STREAM_ID } from '../support/ssf-realm.js';

const WITHIN_MS = 30_000;

/** Whoever logs in after it is nobody's victim. */
const REFUSED = ['accepted', 'revoked', 'accepted'];

let server: ContractServer;

/** A service whose answers serve for so long that what is refused before was heard of. */
class Service {
  private constructor(
    readonly keycloak: ComposedKeycloak,
    private readonly feed: SignalFeed,
    /** Why nothing was heard, as the log has it. */
    readonly faults: readonly unknown[],
  ) {}

  static async start(clientId: typeof RECEIVER | typeof MAKER): Promise<Service> {
    const faults: unknown[] = [];
    const error = (_: string, fields: object): void => void faults.push({ reason: undefined, ...fields }.reason);
    const keycloak = composeKeycloak(
      {
        issuer: server.issuer,
        clientId,
        clientSecret: SECRETS[clientId],
        allowInsecureRequests: true,
        introspectionTtlSeconds: 60,
        introspectionTtlWhileSignalledSeconds: 300,
      },
      { loggers: () => ({ ...SILENT, error }) },
    );
    const feed = new SignalFeed(keycloak.issuers[0], keycloak.revocations, {
      sources: [sharedSignals()],
      pollMs: 250,
    });
    feed.start();
    await until(async () => keycloak.status.read().signals.state === 'proven');
    return new Service(keycloak, feed, faults);
  }

  async outcomeOf(token: string): Promise<string> {
    try {
      await this.keycloak.verifier.verify(token);
      return 'accepted';
    } catch (error) {
      if (error instanceof Refusal) return error.reason;
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.feed.stop();
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const began = performance.now(); !(await isSo()); await sleep(50)) {
    if (performance.now() - began > WITHIN_MS) throw new Error('It does not come about');
  }
}

interface Subject {
  readonly username: string;
  readonly path: string;
  readonly sid: string;
  readonly access: string;
  readonly refresh: string;
}

async function newSubject(): Promise<Subject> {
  const username = await server.newUser('order-manager');
  const tokens = await login(server, username);
  const access = textOf(tokens);
  const { sub, sid } = claimsOf(access) as { readonly sub: string; readonly sid: string };
  return { username, sid, access, refresh: textOf(tokens, 'refresh_token'), path: `/users/${sub}` };
}

type Act = (subject: Subject) => Promise<unknown>;

const change =
  (method: 'POST' | 'PUT' | 'DELETE', below = '', body?: object): Act =>
  ({ path }) =>
    server.administrator.change(method, path + below, body);

/** In the browser, where the user has logged in beside the session that there is. */
async function changePassword({ username }: Subject): Promise<void> {
  const browser = new LoginBrowser(server);
  const client = await server.newClient('web');
  await browser.login(client, username);
  const asked = await browser.authorize(client, { kc_action: 'UPDATE_PASSWORD' });
  const to = asked.headers.get('location');
  const form = to === null ? asked : await browser.get(to.slice(server.issuer.length));
  const fields = { 'password-new': 'another', 'password-confirm': 'another', 'logout-sessions': 'on' };
  const done = await browser.submit(form, fields);
  expect(done.status).toBe(302);
}

(hasTransmitter() ? describe : describe.skip)('a service that hears of revocations by shared signals', () => {
  let service: Service;

  beforeAll(async () => {
    server = await startSsfRealm();
    service = await Service.start(RECEIVER);
  });
  afterAll(async () => {
    await service.stop();
    await server.stop();
  });

  it.each<[string, Act]>([
    ['a logout', ({ refresh }) => logout(server, refresh)],
    ['a user whom an administrator signs out', change('POST', '/logout')],
  ])('refuses the tokens of %s (RS-13)', async (_, act) => {
    expect(await outcomesAround(act)).toEqual(REFUSED);
  });

  // The embedded server has no page for it.
  (testServer().kind === 'embedded' ? describe.skip : describe)('where users may choose a new password', () => {
    it('refuses the tokens of one who does, and signs out everywhere else (RS-13)', async () => {
      expect(await outcomesAround(changePassword)).toEqual(REFUSED);
    });
  });

  /** Of a token before it and after it was heard of, and of one of a user who logs in later. */
  async function outcomesAround(act: Act): Promise<readonly string[]> {
    const subject = await newSubject();
    const before = await service.outcomeOf(subject.access);
    await act(subject);
    await until(async () => (await service.outcomeOf(subject.access)) !== 'accepted');
    const later = await newSubject();
    return [before, await service.outcomeOf(subject.access), await service.outcomeOf(later.access)];
  }

  it('refuses the tokens of a logout in the browser (RS-13)', async () => {
    const access = await loggedOutInBrowser({ post_logout_redirect_uri: HOME });
    await until(async () => (await service.outcomeOf(access)) !== 'accepted');
    expect(await service.outcomeOf(access)).toBe('revoked');
  });

  it('takes the tokens of a user who has logged in again after being signed out', async () => {
    const subject = await newSubject();
    await service.outcomeOf(subject.access);
    await change('POST', '/logout')(subject);
    await until(async () => (await service.outcomeOf(subject.access)) === 'revoked');
    // Tokens say when they were issued in whole seconds.
    await sleep(1000 - (Date.now() % 1000));
    expect(await service.outcomeOf(textOf(await login(server, subject.username)))).toBe('accepted');
  });

  it.each<[string, Act]>([
    [
      'a new password from an administrator',
      change('PUT', '/reset-password', { type: 'password', value: 'another', temporary: false }),
    ],
    ['a role that is taken', ({ username }) => server.takeRole(username, 'order-manager')],
  ])('refuses nobody for %s', async (_, act) => {
    expect(await outcomeAfter(act)).toBe('accepted');
  });

  // What docs/signals.md says of it.
  it.each<[string, Act]>([
    ['a user who is disabled', change('PUT', '', { enabled: false })],
    ['a session that an administrator ends', ({ sid }) => server.administrator.change('DELETE', `/sessions/${sid}`)],
  ])('is told nothing of %s', async (_, act) => {
    expect(await outcomeAfter(act)).toBe('accepted');
  });

  it('is told nothing of a logout in the browser that names no place to go to', async () => {
    const access = await loggedOutInBrowser({});
    await hearMarker();
    expect(await service.outcomeOf(access)).toBe('accepted');
  });

  /** Once what came after it was heard. */
  async function outcomeAfter(act: Act): Promise<string> {
    const subject = await newSubject();
    expect(await service.outcomeOf(subject.access)).toBe('accepted');
    await act(subject);
    await hearMarker();
    return service.outcomeOf(subject.access);
  }

  /** Hears of a logout: of what came before it, too. */
  async function hearMarker(): Promise<void> {
    const marker = await newSubject();
    const marked = await service.keycloak.verifier.verify(marker.access);
    await logout(server, marker.refresh);
    await until(async () => service.keycloak.revocations.denies(marked));
  }

  /** The access token of a session that is over, and was good before. */
  async function loggedOutInBrowser(parameters: Readonly<Record<string, string>>): Promise<string> {
    const browser = new LoginBrowser(server);
    const tokens = await tokensFor(server, await server.newClient('web'), browser);
    const access = textOf(tokens);
    expect(await service.outcomeOf(access)).toBe('accepted');
    const query = new URLSearchParams({ id_token_hint: textOf(tokens, 'id_token'), ...parameters }).toString();
    await browser.get(`/protocol/openid-connect/logout?${query}`);
    return access;
  }

  it('shares its stream with its other replicas, which hear all that it hears', async () => {
    const others = await Promise.all([Service.start(RECEIVER), Service.start(RECEIVER)]);
    const all = [service, ...others];
    const subjects = await Promise.all(Array.from({ length: 10 }, newSubject));
    const outcomes = async (): Promise<readonly string[]> =>
      Promise.all(all.flatMap((one) => subjects.map(({ access }) => one.outcomeOf(access))));
    expect(new Set(await outcomes())).toEqual(new Set(['accepted']));
    for (const { refresh } of subjects) await logout(server, refresh);
    await until(async () => (await outcomes()).every((outcome) => outcome === 'revoked'));
    await Promise.all(others.map((one) => one.stop()));
  });

  it('hears by a stream that it has made itself, what was issued to it in the middle of a chain, too', async () => {
    const maker = await Service.start(MAKER);
    const subject = await newSubject();
    const token = await exchangeForB(server, subject.access);
    expect(await maker.outcomeOf(token)).toBe('accepted');
    await logout(server, subject.refresh);
    await until(async () => (await maker.outcomeOf(token)) === 'revoked');
    await maker.stop();
  });

  it('is silent while its stream is paused, and hears what was held then', async () => {
    const token = textOf(await clientCredentials(server, RECEIVER, 'ssf.manage'));
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const setStatus = async (status: string): Promise<void> => {
      const body = JSON.stringify({ stream_id: STREAM_ID, status });
      const answer = await request(server, '/ssf/transmitter/streams/status', { method: 'POST', headers, body });
      expect(answer.status).toBe(200);
    };
    const subject = await newSubject();
    expect(await service.outcomeOf(subject.access)).toBe('accepted');
    await setStatus('paused');
    await logout(server, subject.refresh);
    await until(async () => service.faults.includes('stream_paused'));
    expect(await service.outcomeOf(subject.access)).toBe('accepted');
    await setStatus('enabled');
    await until(async () => (await service.outcomeOf(subject.access)) === 'revoked');
  });
});
