import { ExpressAdapter } from '@nestjs/platform-express';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { startTestRealm } from '../../../../keycloak-test-servers/spec-support/test-realm.js';
import { junkNotice, listening, logIn, logOut, Shop, type ShopOptions } from '../../../spec-support/logout-services.js';
import { KeycloakStatus } from '../../index.js';
import type { RevocationChannel, RevocationReceiver, SharedRevocation } from '../extension/index.js';
import { jwtVerification } from '../jwt/index.js';
import { BackchannelLogoutModule, type BackchannelLogout } from './index.js';

let [own, partner]: RunningAuthorizationServer[] = [];
const servers = (): readonly [RunningAuthorizationServer, RunningAuthorizationServer] => {
  if (own === undefined || partner === undefined) throw new Error('not started');
  return [own, partner];
};
let shop: Shop | undefined;

beforeAll(async () => {
  [own, partner] = await Promise.all([startTestRealm(), startTestRealm()]);
});
afterEach(async () => {
  for (const { control } of servers()) control.fault('jwks', undefined);
  await shop?.stop();
  shop = undefined;
});
afterAll(() => Promise.all(servers().map((server) => server.stop())));

async function started(options: Partial<ShopOptions> = {}): Promise<Shop> {
  shop = await Shop.start({
    servers: [servers()[0]],
    notices: BackchannelLogoutModule.forRoot(),
    adapter: new ExpressAdapter(),
    ...options,
  });
  return shop;
}

const aboutAlice = async (overrides: Readonly<Record<string, unknown>> = {}, sid = 's1'): Promise<string> =>
  servers()[0].control.logoutToken('shop', { username: 'alice', sid }, { claims: overrides });

describe('BackchannelLogoutModule', () => {
  it('ends only sessions of the issuer that signed the notice (RS-26)', async () => {
    const app = await started({ servers: servers(), options: { introspectionTtlSeconds: 60 } });
    const [here, there] = [await logIn(servers()[0], 'alice'), await logIn(servers()[1], 'alice')];
    const both = async (): Promise<number[]> =>
      Promise.all([here, there].map(async ({ accessToken }) => app.status(accessToken)));
    expect(await both()).toEqual([200, 200]);
    const about = { username: 'alice', sid: 's1' };
    const forged = { claims: { iss: servers()[1].issuer } };
    const answer = await app.notify(await servers()[0].control.logoutToken('shop', about, forged));
    expect(answer.status).toBe(400);
    await answer.body?.cancel();
    await logOut(servers()[1], there);
    expect(await both()).toEqual([200, 401]);
    await logOut(servers()[0], here);
    expect(await both()).toEqual([401, 401]);
  });

  it('calls an injected listener after the tokens of the session are refused (BF-09)', async () => {
    const ended: [BackchannelLogout, number][] = [];
    let token = '';
    const notices = listening({
      ended: async (logout) => void ended.push([logout, await app.status(token)]),
    });
    const app: Shop = await started({ notices, options: { introspectionTtlSeconds: 60 } });
    const session = await logIn(servers()[0], 'alice');
    token = session.accessToken;
    expect(await app.status(token)).toBe(200);
    await logOut(servers()[0], session);
    const logout = {
      issuer: servers()[0].issuer,
      sessionId: expect.any(String),
      subject: expect.any(String),
      issuedAt: expect.any(Number),
    };
    expect(ended).toEqual([[logout, 401]]);
  });

  it("answers 503 if the listener fails, and still refuses the session's tokens (BF-09)", async () => {
    let isDown = true;
    const ended = async (): Promise<void> => {
      if (isDown) throw new Error('no store');
    };
    const app = await started({ notices: listening({ ended }) });
    const { accessToken } = await logIn(servers()[0], 'alice');
    const sid = sidOf(accessToken);
    const notice = await aboutAlice({}, sid);
    const answer = await app.notify(notice);
    expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('cache-control')]).toEqual([
      503,
      '5',
      'no-store',
    ]);
    expect(await answer.json()).toMatchObject({ error: 'temporarily_unavailable' });
    expect(await app.status(accessToken)).toBe(401);
    isDown = false;
    expect([(await app.notify(notice)).status, (await app.notify(notice)).status]).toEqual([200, 400]);
  });

  it('refuses the tokens of the user after a notice that has no sid (RS-13)', async () => {
    const app = await started({ options: { introspectionTtlSeconds: 60 } });
    const [alice, bob] = [await logIn(servers()[0], 'alice'), await logIn(servers()[0], 'bob')];
    expect((await app.notify(await aboutAlice({ sid: undefined }))).status).toBe(200);
    expect([await app.status(alice.accessToken), await app.status(bob.accessToken)]).toEqual([401, 200]);
  });

  it('accepts every valid notice during a key rotation and a flood of forged notices (BF-09)', async () => {
    const app = await started();
    const { calls } = servers()[0].control;
    expect((await app.notify(await aboutAlice())).status).toBe(200);
    const [before, startMs] = [calls.jwks, performance.now()];
    const flood = Promise.all(
      Array.from({ length: 100 }, async (_, number) => app.notify(junkNotice(servers()[0], `junk-${number}`))),
    );
    await servers()[0].control.rotateSigningKeys();
    const answers = await Promise.all(Array.from({ length: 5 }, async () => app.notify(await aboutAlice())));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect((await flood).every(({ status }) => status === 400)).toBe(true);
    expect(calls.jwks - before).toBeLessThanOrEqual(Math.ceil((performance.now() - startMs) / 1000) + 1);
  });

  it('answers 503 without keys, and then introspects each token of the issuer again (BF-09, RS-14)', async () => {
    let unverified = 0;
    const notices = listening({ ended: async () => undefined, unverified: async () => void (unverified += 1) });
    const app = await started({ notices, options: { introspectionTtlSeconds: 60 } });
    const [ended, other] = [await logIn(servers()[0], 'alice'), await logIn(servers()[0], 'bob')];
    const both = async (): Promise<number[]> =>
      Promise.all([ended, other].map(async ({ accessToken }) => app.status(accessToken)));
    expect(await both()).toEqual([200, 200]);
    for (const fault of [
      { kind: 'status', status: 503 } as const,
      { kind: 'answer', status: 404, body: 'nobody here' } as const,
      { kind: 'answer', body: { keys: [] } } as const,
      { kind: 'html' } as const,
    ]) {
      servers()[0].control.fault('jwks', fault);
      const answer = await app.notify(await aboutAlice({}, sidOf(ended.accessToken)));
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
      await answer.body?.cancel();
    }
    expect(unverified).toBe(4);
    servers()[0].control.endSession(sidOf(ended.accessToken));
    const { calls } = servers()[0].control;
    const before = calls.introspection;
    expect(await both()).toEqual([401, 200]);
    expect(calls.introspection - before).toBe(2);
    await Promise.all(
      Array.from({ length: 20 }, async (_, number) => app.notify(junkNotice(servers()[0], `again-${number}`))),
    );
    expect(await both()).toEqual([401, 200]);
    expect(calls.introspection - before).toBeLessThanOrEqual(3);
  });

  it('publishes no recheck if another replica has just published a recheck (RS-14)', async () => {
    let receiver: RevocationReceiver | undefined;
    const appended: SharedRevocation[] = [];
    const revocationChannel: RevocationChannel = {
      check: () => undefined,
      connect: (_, to) => {
        receiver = to;
        setImmediate(() => to.caughtUp());
        const append = async (revocations: readonly SharedRevocation[]): Promise<void> => {
          appended.push(...revocations);
          for (const one of revocations) to.received(one, 0);
        };
        return { append, appendAgain: async () => true, close: async () => undefined };
      },
    };
    const app = await started({ options: { revocationChannel } });
    servers()[0].control.fault('jwks', { kind: 'status', status: 503 });
    const theirs = (at: number, id: string): void =>
      receiver?.received({ kind: 'recheck', recheck: 'everything', at, id }, Date.now() / 1000 - at);
    theirs(Date.now() / 1000, 'just now');
    expect((await app.notify(await aboutAlice())).status).toBe(503);
    expect(appended).toEqual([]);
    await app.stop();
    const other = await started({ options: { revocationChannel } });
    theirs(Date.now() / 1000 - 30, 'long ago');
    expect((await other.notify(await aboutAlice())).status).toBe(503);
    await new Promise(setImmediate);
    expect(appended).toMatchObject([{ kind: 'recheck', recheck: 'everything' }]);
  });

  it('blocks no request while its request for keys hangs (BF-09)', async () => {
    const options = { verification: 'jwt', jwt: jwtVerification(), maxConcurrentCalls: 1, timeoutMs: 1000 } as const;
    let status: KeycloakStatus | undefined;
    const app = await started({ options, prepare: (nest) => (status = nest.get(KeycloakStatus)) });
    const { accessToken } = await logIn(servers()[0], 'alice');
    expect(await app.status(accessToken)).toBe(200);
    servers()[0].control.fault('jwks', { kind: 'hang' });
    const hanging = app.notify(await aboutAlice());
    const calls = (kind: string) => status?.read().authorizationServer[kind];
    while (calls('logout_jwks')?.running !== 1) await new Promise(setImmediate);
    expect(calls('jwks')).toEqual({ circuit: 'closed', running: 0, queued: 0 });
    expect(await app.status(accessToken)).toBe(200);
    expect((await hanging).status).toBe(503);
  });
});

function sidOf(accessToken: string): string {
  const payload = Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString();
  return String((JSON.parse(payload) as { readonly sid?: unknown }).sid);
}
