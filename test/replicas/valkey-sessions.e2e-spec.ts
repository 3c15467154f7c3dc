import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { AuthorizationServerError } from 'nestjs-keycloak-s2s';
import { SealingKeys, ValkeyClient } from 'nestjs-keycloak-s2s/valkey';
import type { LoggedIn, Refreshed } from '../../apps/service-a/src/login/openid-provider.js';
import { OpenIdTokens } from '../../apps/service-a/src/login/openid-tokens.js';
import { UserSessions } from '../../apps/service-a/src/login/user-sessions.js';
import { SealedSessions } from '../../apps/service-a/src/login/valkey/sealed-sessions.js';
import { ValkeySessionStore } from '../../apps/service-a/src/login/valkey/valkey-session-store.js';
import { Valkey, valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { until } from '../support/until.js';

const key = (): string => randomBytes(32).toString('base64');
const KEYS = [key()];
const OWNER = { issuer: 'https://keycloak.test/realms/test', clientId: 'service-a' };
const BOUNDS = { maxSessions: 1000, maxSessionsPerUser: 20, sessionIdleSeconds: 100, sessionMaxSeconds: 1000 };

type Options = Partial<typeof BOUNDS & typeof OWNER> & { readonly keys?: readonly string[] };

interface Replica {
  readonly sessions: UserSessions;
  readonly store: ValkeySessionStore;
  accessTokenOf(id: string): Promise<string | undefined>;
}

let valkey: Valkey;
let sent: (string | undefined)[];
let refreshing: (refreshToken: string | undefined) => Promise<Refreshed>;
let ready: () => Promise<void>;
const open: ValkeySessionStore[] = [];

function replica({ keys = KEYS, ...bent }: Options = {}): Replica {
  const bounds = { ...BOUNDS, ...bent };
  const owner = { ...OWNER, ...bent };
  const sealed = new SealedSessions(new SealingKeys(keys), owner.issuer, owner.clientId);
  // Only Service A has a Valkey user for sessions.
  const url = owner.clientId === OWNER.clientId ? valkey.urlOf(owner.clientId) : valkey.url;
  const store = new ValkeySessionStore(new ValkeyClient({ url }), sealed, bounds, owner);
  open.push(store);
  const refresh = async (before: OpenIdTokens): Promise<Refreshed> => {
    const { refreshToken } = before.reveal();
    sent.push(refreshToken);
    return refreshing(refreshToken);
  };
  const sessions = new UserSessions(store, { ready: () => ready(), refresh }, bounds);
  return {
    sessions,
    store,
    accessTokenOf: async (id) => (await sessions.findFresh(id))?.tokens.reveal().accessToken,
  };
}

function tokens(name = 'first', lifeSeconds = 300): OpenIdTokens {
  const askedAtMs = performance.now();
  return new OpenIdTokens({
    accessToken: `${name}-access`,
    refreshToken: `${name}-refresh`,
    idToken: `${name}-id`,
    askedAtMs,
    expiresAtMs: askedAtMs + lifeSeconds * 1000,
  });
}

const login = (change: Partial<LoggedIn> = {}): LoggedIn => ({
  subject: 'alice-id',
  sessionId: 's1',
  username: 'alice',
  issuedAt: 1000,
  authentication: { acr: '1', authTime: 1000 },
  tokens: tokens(),
  ...change,
});

const stale = (): LoggedIn => login({ tokens: tokens('first', 5) });

const command = (...args: string[]): Promise<unknown> => valkey.command(args);

async function scripts(): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(String(await command('INFO', 'commandstats')))?.[1] ?? 0);
}

const keysOf = async (pattern: string): Promise<string[]> => ((await command('KEYS', pattern)) as string[]).toSorted();

async function everything(): Promise<string> {
  const seen: string[] = [];
  for (const name of await keysOf('*')) {
    const type = await command('TYPE', name);
    const reading = { hash: ['HGETALL', name], zset: ['ZRANGE', name, '0', '-1'], string: ['GET', name] }[String(type)];
    seen.push(name, JSON.stringify(await command(...(reading ?? ['TYPE', name]))));
  }
  return seen.join('\n');
}

const unavailable = { status: 503, response: { code: 'sessions_unavailable' } };

const onValkey = valkeyPath === undefined ? describe.skip : describe;

onValkey('sessions over Valkey', () => {
  beforeAll(async () => {
    valkey = await Valkey.start(valkeyPath ?? '');
  });
  afterAll(() => valkey.remove());
  beforeEach(async () => {
    await command('FLUSHALL');
    sent = [];
    refreshing = async () => ({ tokens: tokens('second') });
    ready = async () => undefined;
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const store of open.splice(0)) await store.close();
  });

  describe('that several replicas share', () => {
    it('can start at one replica and be used and ended at any replica (BF-05)', async () => {
      const [one, other] = [replica(), replica()];
      const id = await one.sessions.begin(login());
      await expect(other.sessions.find(id)).resolves.toMatchObject({ username: 'alice', subject: 'alice-id' });
      await expect(other.accessTokenOf(id)).resolves.toBe('first-access');
      await other.sessions.end(id);
      await expect(one.sessions.find(id)).resolves.toBeUndefined();
      expect([one.sessions.wouldKnow(id), other.sessions.wouldKnow(id)]).toEqual([true, true]);
    });

    it.each([
      ['sid', { sessionId: 's1', subject: 'alice-id' }],
      ['sub', { sessionId: undefined, subject: 'alice-id' }],
    ])(
      'of one user end at all replicas after a logout notice with the %s, which also ends a pending login (BF-09)',
      async (_, ended) => {
        const [one, other] = [replica(), replica()];
        const ids = [await one.sessions.begin(login()), await other.sessions.begin(login())];
        const bob = await one.sessions.begin(login({ subject: 'bob-id', sessionId: 's9' }));
        await other.sessions.endAtKeycloak(ended, 1000);
        for (const id of ids) await expect(one.sessions.find(id)).resolves.toBeUndefined();
        await expect(one.sessions.find(bob)).resolves.toBeDefined();
        await expect(one.sessions.begin(login())).rejects.toMatchObject({ reason: 'session_ended_meanwhile' });
        const later = login({ sessionId: 's4', issuedAt: 1001 });
        await expect(one.sessions.begin(later)).resolves.toEqual(expect.any(String));
      },
    );

    it.each([
      [10_000, 4000],
      [4000, 10_000],
    ])(
      'end after a logout notice, even if replicas allow %d s and %d s for a session (BF-09)',
      async (ofOne, ofOther) => {
        const [one, other] = [replica({ sessionMaxSeconds: ofOne }), replica({ sessionMaxSeconds: ofOther })];
        const ended = { sessionId: 's1', subject: 'alice-id' };
        await one.sessions.endAtKeycloak(ended, 1000);
        await expect(other.sessions.begin(login())).rejects.toMatchObject({ reason: 'session_ended_meanwhile' });
        await other.sessions.endAtKeycloak(ended, 1000);
        const [mark = ''] = await keysOf('*:ended-sid:*');
        expect(Number(await command('PTTL', mark))).toBeGreaterThan(9_000_000);
      },
    );

    it('end after a logout notice for the subject if the session has no sid', async () => {
      const one = replica();
      const id = await one.sessions.begin(login({ sessionId: undefined }));
      await one.sessions.endAtKeycloak({ sessionId: undefined, subject: 'alice-id' }, 1000);
      await expect(one.sessions.find(id)).resolves.toBeUndefined();
      await expect(one.sessions.begin(login({ sessionId: undefined }))).rejects.toMatchObject({
        reason: 'session_ended_meanwhile',
      });
    });

    it('are limited per user and in total: the least recently used session ends (BF-05)', async () => {
      const bounds = { maxSessions: 4, maxSessionsPerUser: 2 };
      const [one, other] = [replica(bounds), replica(bounds)];
      const begin = async (subject: string, at = one): Promise<string> => {
        await sleep(2);
        return at.sessions.begin(login({ subject, sessionId: `${subject}-${randomBytes(4).toString('hex')}` }));
      };
      const isThere = async (...ids: string[]): Promise<boolean[]> => {
        const found = await Promise.all(ids.map((id) => one.store.update(keyHash(id), (session) => session)));
        return found.map((session) => session !== undefined);
      };
      const use = async (id: string): Promise<void> => {
        await sleep(2);
        await other.store.update(keyHash(id), (session) => ({ ...session }));
      };
      const bob = await begin('bob');
      const [first, second] = [await begin('alice'), await begin('alice', other)];
      await use(first);
      const third = await begin('alice');
      expect(await isThere(bob, first, second, third)).toEqual([true, true, false, true]);
      await use(bob);
      const [carol, dave] = [await begin('carol'), await begin('dave', other)];
      expect(await isThere(bob, first, third, carol, dave)).toEqual([true, false, true, true, true]);
      expect(await keysOf('*:session:*')).toHaveLength(4);
      expect(await command('ZCARD', (await keysOf('*:sessions'))[0] ?? '')).toBe(4);
    });

    it('replace older sessions of a user who has reached the limit, even in a full store (BF-05)', async () => {
      const one = replica({ maxSessions: 3, maxSessionsPerUser: 2 });
      const begin = async (subject: string): Promise<string> => {
        await sleep(2);
        return one.sessions.begin(login({ subject, sessionId: `${subject}-${randomBytes(4).toString('hex')}` }));
      };
      const bob = await begin('bob');
      const [first, second] = [await begin('alice'), await begin('alice')];
      for (let logins = 0; logins < 5; logins += 1) await begin('alice');
      const found = await Promise.all([bob, first, second].map((id) => one.sessions.find(id)));
      expect(found.map((session) => session !== undefined)).toEqual([true, false, false]);
    });

    it('expire after the idle time and the maximum lifetime, at replicas and in Valkey (BF-05)', async () => {
      const bounds = { sessionIdleSeconds: 2, sessionMaxSeconds: 5 };
      const beganMs = performance.now();
      const [one, other] = [replica(bounds), replica(bounds)];
      const [used, idle] = [await one.sessions.begin(login()), await one.sessions.begin(login())];
      for (let times = 0; times < 3; times += 1) {
        await sleep(800);
        await expect(other.sessions.find(used)).resolves.toBeDefined();
      }
      await expect(one.sessions.find(idle)).resolves.toBeUndefined();
      // The test uses the session continuously, so only the maximum lifetime ends the session.
      while ((await one.sessions.find(used)) !== undefined) await sleep(100);
      expect(performance.now() - beganMs).toBeGreaterThan(4900);
      expect(await keysOf('*:session:*')).toEqual([]);
    });

    it('still count for the total limit after use at a replica with a longer idle time (BF-05)', async () => {
      const [patient, hasty] = [replica({ maxSessions: 2 }), replica({ maxSessions: 2, sessionIdleSeconds: 1 })];
      const first = await patient.sessions.begin(login({ subject: 'a' }));
      await sleep(1100);
      await hasty.sessions.begin(login({ subject: 'b' }));
      await patient.sessions.find(first);
      await patient.sessions.begin(login({ subject: 'c' }));
      expect(await keysOf('*:session:*')).toHaveLength(2);
      await expect(patient.sessions.find(first)).resolves.toBeDefined();
    });

    it('still count for the limit per user after long use (BF-05, BF-09)', async () => {
      const one = replica({ sessionIdleSeconds: 2, maxSessionsPerUser: 2 });
      const ids = [await one.sessions.begin(login()), await one.sessions.begin(login({ sessionId: 's2' }))];
      for (let times = 0; times < 6; times += 1) {
        await sleep(500);
        for (const id of ids) await expect(one.sessions.find(id)).resolves.toBeDefined();
      }
      const third = await one.sessions.begin(login({ sessionId: 's3' }));
      expect(await keysOf('*:session:*')).toHaveLength(2);
      await one.sessions.endAtKeycloak({ sessionId: undefined, subject: 'alice-id' }, 1000);
      await expect(one.sessions.find(third)).resolves.toBeUndefined();
      expect(await keysOf('*:session:*')).toEqual([]);
    });

    it('need about 300 Valkey commands for 300 logout notices (BF-09)', async () => {
      const one = replica();
      const id = await one.sessions.begin(login());
      const before = await scripts();
      const notices = Array.from({ length: 300 }, (_, at) =>
        one.sessions.endAtKeycloak({ sessionId: `other-${at}`, subject: undefined }, 1000),
      );
      await Promise.all([...notices, one.sessions.find(id)]);
      expect((await scripts()) - before).toBeLessThan(310);
    });

    it('accept each pending login at only one replica (BF-01)', async () => {
      const stores = [replica().store, replica().store, replica().store];
      const taken = await Promise.all(stores.map((store) => store.takeLogin('the-state', 600)));
      expect(taken.toSorted()).toEqual([false, false, true]);
      await expect(replica().store.takeLogin('another-state', 600)).resolves.toBe(true);
    });

    it('are checked at Keycloak once for all replicas after an unverifiable logout notice (BF-09)', async () => {
      const [one, other] = [replica(), replica()];
      const id = await one.sessions.begin(login());
      await sleep(5);
      await one.sessions.recheckAll();
      await sleep(5);
      await expect(other.sessions.findFresh(id)).resolves.toBeDefined();
      expect(sent).toEqual(['first-refresh']);
      await expect(one.sessions.findFresh(id)).resolves.toBeDefined();
      await expect(replica().sessions.findFresh(id)).resolves.toBeDefined();
      expect(sent).toHaveLength(1);
    });
  });

  describe('at replicas whose clocks differ', () => {
    const differBy = (seconds: number) => {
      const { now } = Date;
      jest.spyOn(Date, 'now').mockImplementation(() => now() + seconds * 1000);
    };

    it.each([30, -30])('keep their age even if the clock of a replica changes by %d s (BF-05)', async (seconds) => {
      const [one, other] = [replica(), replica()];
      const id = await one.sessions.begin(login());
      differBy(seconds);
      for (let times = 0; times < 3; times += 1) await expect(other.sessions.find(id)).resolves.toBeDefined();
      const written = await other.sessions.begin(login());
      jest.restoreAllMocks();
      const found = [await one.sessions.find(id), await one.sessions.find(written)];
      const ages = found.map((session) => Date.now() - (session?.startedAtMs ?? 0));
      for (const age of ages) expect(Math.abs(age)).toBeLessThan(29_000);
      await expect(one.accessTokenOf(written)).resolves.toBe('first-access');
      expect(sent).toEqual([]);
    });

    it.each([30, -30])('are refreshed once, even if the clocks of replicas differ by %d s (BF-08)', async (seconds) => {
      const one = replica();
      const id = await one.sessions.begin(login({ tokens: tokens('first', 0) }));
      refreshing = async () => {
        await sleep(300);
        return { tokens: tokens('second') };
      };
      const first = one.accessTokenOf(id);
      await sleep(100);
      differBy(seconds);
      const other = replica();
      await expect(other.accessTokenOf(id)).resolves.toBe('second-access');
      await expect(first).resolves.toBe('second-access');
      expect(sent).toHaveLength(1);
    });

    it.each([30, -30])(
      'get the right start time from a new replica whose clock is wrong by %d s (BF-05, BF-09)',
      async (seconds) => {
        const old = replica();
        const id = await old.sessions.begin(login());
        await sleep(20);
        differBy(seconds);
        const fresh = replica();
        await fresh.store.takeLogin('state', 600);
        const written = await fresh.sessions.begin(login());
        const found = await fresh.sessions.find(written);
        jest.restoreAllMocks();
        expect(Math.abs(Date.now() - (found?.startedAtMs ?? 0))).toBeLessThan(5000);
        differBy(seconds);
        await replica().sessions.recheckAll();
        jest.restoreAllMocks();
        await sleep(5);
        await old.sessions.findFresh(id);
        await old.sessions.findFresh(id);
        expect(sent).toHaveLength(1);
      },
    );

    it('do not last longer if the clock of Valkey is set back', async () => {
      const one = replica();
      const id = await one.sessions.begin(login());
      differBy(BOUNDS.sessionIdleSeconds + 1);
      await expect(one.sessions.find(id)).resolves.toBeUndefined();
    });

    it("expire after Valkey's clock was set back, and the log names the reason", async () => {
      const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
      const one = replica();
      await one.sessions.begin(login());
      await one.store.takeLogin('state', 600);
      const { now: monotonic } = performance;
      jest
        .spyOn(performance, 'now')
        .mockImplementation(() => monotonic.call(performance) + (BOUNDS.sessionIdleSeconds + 1) * 1000);
      await one.store.takeLogin('another-state', 600);
      const id = await one.sessions.begin(login());
      for (let times = 0; times < 3; times += 1) await expect(one.sessions.find(id)).resolves.toBeUndefined();
      expect(errors.mock.calls).toEqual([
        [expect.stringContaining('clock of the session store went back'), expect.objectContaining({ seconds: 101 })],
      ]);
    });

    it('are not found if the time of the last use is one hour in the future', async () => {
      const one = replica();
      const id = await one.sessions.begin(login());
      await one.store.update(keyHash(id), (session) => ({ ...session, usedAtMs: session.usedAtMs + 3_600_000 }));
      await expect(one.sessions.find(id)).resolves.toBeUndefined();
    });
  });

  describe('that a replica refreshes', () => {
    it('use the refresh token once for many concurrent requests at all replicas (BF-08)', async () => {
      const replicas = [replica(), replica(), replica()];
      refreshing = async () => {
        await sleep(200);
        return { tokens: tokens('second') };
      };
      const id = await replicas[0]!.sessions.begin(stale());
      const all = Array.from({ length: 10 }, () => replicas).flat();
      const got = await Promise.all(all.map(({ accessTokenOf }) => accessTokenOf(id)));
      expect(new Set(got)).toEqual(new Set(['second-access']));
      expect(sent).toEqual(['first-refresh']);
    });

    it('end at all replicas if Keycloak refuses the refresh (BF-08)', async () => {
      const [one, other] = [replica(), replica()];
      refreshing = async () => {
        await sleep(50);
        return { refused: true };
      };
      const id = await one.sessions.begin(stale());
      const got = await Promise.all([one.accessTokenOf(id), other.accessTokenOf(id)]);
      expect(got).toEqual([undefined, undefined]);
      expect(sent).toHaveLength(1);
    });

    it('continue if Keycloak refuses a refresh after a newer refresh has succeeded (BF-08)', async () => {
      const [one, other] = [replica(), replica()];
      const id = await one.sessions.begin(stale());
      refreshing = async () => {
        await other.store.update(keyHash(id), (session) => ({
          ...session,
          generation: session.generation + 1,
          tokens: tokens('newer').withTimes((ms) => other.store.clock.fromMonotonicMs(ms)),
          refreshSentAtMs: undefined,
        }));
        return { refused: true };
      };
      await expect(one.accessTokenOf(id)).resolves.toBe('newer-access');
      await expect(other.accessTokenOf(id)).resolves.toBe('newer-access');
    });

    it('end if another replica receives the logout notice during the refresh (BF-08, BF-09)', async () => {
      const [one, other] = [replica(), replica()];
      const id = await one.sessions.begin(stale());
      refreshing = async () => {
        await other.sessions.endAtKeycloak({ sessionId: 's1', subject: 'alice-id' }, 1000);
        return { tokens: tokens('second') };
      };
      await expect(one.accessTokenOf(id)).resolves.toBeUndefined();
      await expect(one.sessions.find(id)).resolves.toBeUndefined();
      expect(await keysOf('*:session:*')).toEqual([]);
    });

    it('do not resend a refresh token that Keycloak may have used (BF-08)', async () => {
      const [one, other] = [replica(), replica()];
      const id = await one.sessions.begin(stale());
      refreshing = async () =>
        Promise.reject(new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' }));
      await expect(one.accessTokenOf(id)).rejects.toMatchObject({ reason: 'timeout' });
      const before = await scripts();
      refreshing = async () => ({ tokens: tokens('second') });
      await expect(other.accessTokenOf(id)).resolves.toBe('first-access');
      expect((await scripts()) - before).toBeLessThan(5);
      await until(async () => (await other.accessTokenOf(id)) === undefined, 'the session is over');
      expect(sent).toEqual(['first-refresh']);
    });

    it.each([
      ['ECONNREFUSED', 'authorization_server_unavailable'],
      ['CERT_HAS_EXPIRED', 'authorization_server_unavailable'],
      ['SELF_SIGNED_CERT_IN_CHAIN', 'authorization_server_unavailable'],
      ['proxy_refused', 'authorization_server_unavailable'],
      ['client_credential_unreadable', 'authorization_server_unavailable'],
      ['circuit_open', 'authorization_server_unavailable'],
      ['queue_full', 'authorization_server_unavailable'],
      ['answered_503_other', 'authorization_server_unavailable'],
      ['answered_401_invalid_client', 'authorization_server_refused'],
      ['answered_400_unauthorized_client', 'authorization_server_refused'],
      ['answered_404_other', 'authorization_server_refused'],
    ] as const)(
      'send the refresh token again after %s, because Keycloak has not used the refresh token (BF-08)',
      async (reason, code) => {
        const [one, other] = [replica(), replica()];
        const id = await one.sessions.begin(stale());
        refreshing = async () => Promise.reject(new AuthorizationServerError(code, { reason }));
        await expect(one.accessTokenOf(id)).rejects.toMatchObject({ reason });
        refreshing = async () => ({ tokens: tokens('second') });
        await expect(other.accessTokenOf(id)).resolves.toBe('second-access');
      },
    );

    it('last as long as their access token if a recheck is required while Keycloak does not answer (BF-09)', async () => {
      const one = replica();
      const id = await one.sessions.begin(login());
      refreshing = async () =>
        Promise.reject(new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' }));
      await one.sessions.recheckAll();
      await expect(one.accessTokenOf(id)).rejects.toMatchObject({ reason: 'timeout' });
      await one.sessions.recheckAll();
      await expect(one.accessTokenOf(id)).resolves.toBe('first-access');
      await expect(replica().accessTokenOf(id)).resolves.toBe('first-access');
      expect(sent).toHaveLength(1);
    });

    it('keep new tokens that arrive while Valkey hangs for a moment (BF-08)', async () => {
      const [one, other] = [replica(), replica()];
      const id = await one.sessions.begin(stale());
      ready = async () => {
        valkey.freeze();
        setTimeout(() => valkey.thaw(), 1300);
      };
      await expect(one.accessTokenOf(id)).resolves.toBe('second-access');
      await expect(other.accessTokenOf(id)).resolves.toBe('second-access');
      expect(sent).toHaveLength(1);
    });

    it('keep new tokens that arrive while the service shuts down (BF-08)', async () => {
      const one = replica();
      const id = await one.sessions.begin(stale());
      let isSent = false;
      refreshing = async () => {
        isSent = true;
        await sleep(300);
        return { tokens: tokens('second') };
      };
      const refreshed = one.accessTokenOf(id);
      await until(() => isSent, 'the refresh token is sent');
      await one.sessions.onApplicationShutdown();
      await expect(refreshed).resolves.toBe('second-access');
      await expect(replica().accessTokenOf(id)).resolves.toBe('second-access');
      await expect(one.sessions.find(id)).rejects.toMatchObject(unavailable);
    });

    it('keep new tokens that arrive while the store is unavailable (BF-08)', async () => {
      const one = replica();
      const id = await one.sessions.begin(stale());
      refreshing = async () => {
        await command('SAVE');
        await valkey.kill();
        setTimeout(() => void valkey.start(), 700);
        return { tokens: tokens('second') };
      };
      await expect(one.accessTokenOf(id)).resolves.toBe('second-access');
      await expect(replica().accessTokenOf(id)).resolves.toBe('second-access');
      expect(sent).toHaveLength(1);
    });
  });

  describe('in a Valkey server that an attacker can change', () => {
    it('reveal no users or tokens', async () => {
      const one = replica();
      // Uses long names, because an encrypted text may contain a short name by chance.
      await one.sessions.begin(login({ sessionId: 'the-session-id', username: 'alice-the-manager' }));
      await one.sessions.endAtKeycloak({ sessionId: 'the-ended-session', subject: 'carol-id' }, 1000);
      await one.sessions.endAtKeycloak({ sessionId: undefined, subject: 'dave-id' }, 1000);
      await one.sessions.recheckAll();
      await one.store.takeLogin('the-state', 600);
      const seen = await everything();
      expect(seen.length).toBeGreaterThan(500);
      expect(seen).not.toMatch(
        /alice-|carol-id|dave-id|first-(access|refresh|id)|the-session|the-ended|the-state|keycloak\.test/,
      );
    });

    it("are not found if an attacker copies one user's session to another user's key", async () => {
      const one = replica();
      const alice = await one.sessions.begin(login());
      const bob = await one.sessions.begin(login({ subject: 'bob-id', sessionId: 's2' }));
      const [of, to] = [alice, bob].map((id) => `*:session:${keyHash(id)}`);
      const [from, into] = [(await keysOf(of ?? ''))[0] ?? '', (await keysOf(to ?? ''))[0] ?? ''];
      await command('COPY', from, into, 'REPLACE');
      await expect(one.sessions.find(bob)).resolves.toBeUndefined();
      await expect(one.sessions.find(alice)).resolves.toMatchObject({ subject: 'alice-id' });
    });

    it('cause one error line if a replica has other keys', async () => {
      const errors = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
      const ids = [await replica().sessions.begin(login()), await replica().sessions.begin(login())];
      const other = replica({ keys: [key()] });
      for (const id of ids) await expect(other.sessions.find(id)).resolves.toBeUndefined();
      const hint = expect.stringContaining('SHARED_STATE_KEYS');
      expect(errors.mock.calls).toEqual([[expect.stringContaining("can't be decrypted"), { hint }]]);
      for (const id of ids) await expect(replica().sessions.find(id)).resolves.toBeDefined();
    });

    it.each<[string, Options]>([
      ['another key', { keys: [key()] }],
      ['another service', { clientId: 'service-b' }],
      ['another realm', { issuer: 'https://keycloak.test/realms/other' }],
    ])('are not found if they were encrypted by %s', async (_, bent) => {
      const [one, other] = [replica(), replica(bent)];
      const id = await one.sessions.begin(login());
      await expect(other.sessions.find(id)).resolves.toBeUndefined();
      const [from = ''] = await keysOf(`*:session:${keyHash(id)}`);
      const theirs = await other.sessions.begin(login());
      const [into = ''] = (await keysOf(`*:session:${keyHash(theirs)}`)) ?? [];
      await command('COPY', from, into, 'REPLACE');
      await expect(other.sessions.find(theirs)).resolves.toBeUndefined();
      await expect(one.sessions.find(id)).resolves.toBeDefined();
    });

    it('end if an attacker overwrites all data, but new sessions can start', async () => {
      const one = replica();
      const id = await one.sessions.begin(login());
      await one.sessions.recheckAll();
      const names = await keysOf('*');
      expect(names.length).toBeGreaterThanOrEqual(5);
      for (const name of names) {
        await command('DEL', name);
        await (name.includes('session:') ? command('SET', name, 'garbage') : command('LPUSH', name, 'garbage'));
      }
      await expect(one.sessions.find(id)).resolves.toBeUndefined();
      const next = await one.sessions.begin(login());
      await expect(replica().sessions.find(next)).resolves.toMatchObject({ subject: 'alice-id' });
      await command('HSET', (await keysOf(`*:session:${keyHash(next)}`))[0] ?? '', 's', 'x'.repeat(300_000));
      await expect(one.sessions.find(next)).resolves.toBeUndefined();
      await one.sessions.endAtKeycloak({ sessionId: 's1', subject: 'alice-id' }, 1000);
      await expect(one.sessions.begin(login())).rejects.toMatchObject({ reason: 'session_ended_meanwhile' });
    });

    it('are deleted, but keys that an attacker has added to an index are kept', async () => {
      const one = replica({ maxSessions: 2 });
      await one.sessions.begin(login());
      await command('SET', 'elsewhere', 'kept');
      const named = [...(await keysOf('*:by-*')), ...(await keysOf('*:sessions'))];
      expect(named).toHaveLength(3);
      for (const index of named) await command('ZADD', index, '0', 'elsewhere');
      await one.sessions.begin(login({ sessionId: 's2' }));
      await one.sessions.begin(login({ sessionId: 's3' }));
      expect(await keysOf('*:session:*')).toHaveLength(2);
      for (const index of await keysOf('*:by-*')) await command('ZADD', index, '0', 'elsewhere');
      await one.sessions.endAtKeycloak({ sessionId: undefined, subject: 'alice-id' }, 1000);
      expect([await keysOf('*:session:*'), await command('GET', 'elsewhere')]).toEqual([[], 'kept']);
    });

    it('can start even if an attacker writes a false end mark or a false recheck time', async () => {
      const one = replica();
      const id = await one.sessions.begin(login());
      await one.sessions.recheckAll();
      await one.sessions.endAtKeycloak({ sessionId: undefined, subject: 'alice-id' }, 1000);
      const [mark = ''] = await keysOf('*:ended-subject:*');
      const marks = [
        ['LPUSH', mark, 'x'],
        ['SET', mark, 'x', 'PX', '1000'],
        ['SET', mark, '9999999999', 'PX', '1000'],
        ['SET', mark, '1'],
      ];
      for (const made of marks) {
        await command('DEL', mark);
        await command(...made);
        await expect(one.sessions.begin(login())).resolves.toEqual(expect.any(String));
      }
      await command('SET', (await keysOf('*:recheck'))[0] ?? '', '\xff\xfe');
      await expect(one.sessions.find(id)).resolves.toBeUndefined();
      await expect(replica().sessions.findFresh(await one.sessions.begin(login()))).resolves.toBeDefined();
    });

    it.each([
      ['sid', { sessionId: 's1', subject: 'alice-id' }],
      ['sub', { sessionId: undefined, subject: 'alice-id' }],
    ])(
      'end after a logout notice with the %s, even if an attacker has overwritten the indexes (BF-09)',
      async (_, ended) => {
        const next = key();
        const [one, other] = [replica({ keys: [...KEYS, next] }), replica({ keys: [next, ...KEYS] })];
        const ids = [await one.sessions.begin(login()), await other.sessions.begin(login())];
        for (const index of await keysOf('*:by-*')) await command('SET', index, 'garbage');
        await other.sessions.endAtKeycloak(ended, 1000);
        for (const id of ids) {
          await expect(one.sessions.find(id)).resolves.toBeUndefined();
          await expect(other.accessTokenOf(id)).resolves.toBeUndefined();
        }
        const again = login({ sessionId: 's2', issuedAt: 1001 });
        await expect(one.sessions.find(await one.sessions.begin(again))).resolves.toBeDefined();
      },
    );

    it('stay ended if an attacker restores a copy', async () => {
      const one = replica();
      const id = await one.sessions.begin(stale());
      const [name = ''] = await keysOf('*:session:*');
      await command('COPY', name, 'kept');
      await one.sessions.endAtKeycloak({ sessionId: 's1', subject: 'alice-id' }, 1000);
      await command('COPY', 'kept', name, 'REPLACE');
      await expect(one.sessions.find(id)).resolves.toBeUndefined();
      await command('DEL', ...(await keysOf('*:ended-*')));
      refreshing = async () => ({ refused: true });
      await expect(one.accessTokenOf(id)).resolves.toBeUndefined();
    });
  });

  it('are encrypted with the first key and readable with each key', async () => {
    const next = key();
    const old = replica();
    const id = await old.sessions.begin(login());
    const [both, rolled] = [replica({ keys: [...KEYS, next] }), replica({ keys: [next, ...KEYS] })];
    await expect(rolled.sessions.find(id)).resolves.toBeDefined();
    const newer = await rolled.sessions.begin(login());
    await expect(both.sessions.find(newer)).resolves.toBeDefined();
    await expect(replica({ keys: [next] }).sessions.find(newer)).resolves.toBeDefined();
    await rolled.sessions.endAtKeycloak({ sessionId: 's1', subject: 'alice-id' }, 1000);
    for (const one of [id, newer]) await expect(both.sessions.find(one)).resolves.toBeUndefined();
    await expect(both.sessions.begin(login())).rejects.toMatchObject({ reason: 'session_ended_meanwhile' });
    await expect(rolled.store.takeLogin('state', 600)).resolves.toBe(true);
    await expect(both.store.takeLogin('state', 600)).resolves.toBe(false);
  });

  describe('with a faulty Valkey server', () => {
    afterEach(async () => {
      valkey.thaw();
      await valkey.kill();
      await valkey.start();
    });

    const attempts = (one: Replica, id: string): Promise<PromiseSettledResult<unknown>[]> =>
      Promise.allSettled([
        one.sessions.find(id),
        one.sessions.findFresh(id),
        one.sessions.begin(login()),
        one.sessions.end(id),
        one.sessions.endAtKeycloak({ sessionId: 's1', subject: 'alice-id' }, 1000),
        one.sessions.recheckAll(),
        one.store.takeLogin('state', 600),
      ]);

    it.each<[string, () => Promise<void>, () => Promise<void>]>([
      ['is down', () => valkey.kill(), () => valkey.start()],
      ['hangs', async () => valkey.freeze(), async () => valkey.thaw()],
    ])('cause 503 while the server %s, and work again after the fault', async (_, away, back) => {
      const [one, other] = [replica(), replica()];
      const [id, sid] = [await one.sessions.begin(login()), await one.sessions.begin(login({ sessionId: 's2' }))];
      await command('SAVE');
      await other.sessions.find(id);
      await away();
      for (const result of await attempts(one, id)) {
        expect(result).toMatchObject({ status: 'rejected', reason: unavailable });
      }
      const many = await Promise.allSettled(Array.from({ length: 200 }, () => other.sessions.find(id)));
      for (const result of many) expect(result).toMatchObject({ status: 'rejected', reason: unavailable });
      await back();
      await sleep(300);
      await expect(one.sessions.find(id)).resolves.toBeUndefined();
      await expect(other.sessions.find(id)).resolves.toBeUndefined();
      await expect(other.sessions.find(sid)).resolves.toMatchObject({ username: 'alice' });
      await expect(one.sessions.begin(login())).rejects.toMatchObject({ reason: 'session_ended_meanwhile' });
    });

    it('stay available while the Valkey server is full, but new sessions cannot start (503)', async () => {
      const one = replica();
      const id = await one.sessions.begin(login());
      await command('CONFIG', 'SET', 'maxmemory', '1');
      await expect(one.sessions.begin(login())).rejects.toMatchObject(unavailable);
      await sleep(1100);
      await expect(one.sessions.find(id)).resolves.toBeDefined();
      await one.sessions.recheckAll();
      await expect(one.sessions.findFresh(id)).resolves.toBeDefined();
      await one.sessions.endAtKeycloak({ sessionId: 's1', subject: 'alice-id' }, 1000);
      await expect(one.sessions.find(id)).resolves.toBeUndefined();
      await command('CONFIG', 'SET', 'maxmemory', '0');
      await expect(one.sessions.begin(login())).rejects.toMatchObject({ reason: 'session_ended_meanwhile' });
      await expect(one.sessions.begin(login({ sessionId: 's2' }))).resolves.toEqual(expect.any(String));
    });

    it('cannot start or end while the server is read-only', async () => {
      const one = replica();
      const id = await one.sessions.begin(login());
      await command('REPLICAOF', '127.0.0.1', '1');
      await expect(one.sessions.begin(login())).rejects.toMatchObject(unavailable);
      await expect(one.sessions.end(id)).rejects.toMatchObject(unavailable);
      await command('REPLICAOF', 'NO', 'ONE');
      await expect(one.sessions.find(id)).resolves.toBeDefined();
    });

    it('are lost if the server starts without data, but new sessions can start', async () => {
      const one = replica();
      const id = await one.sessions.begin(login());
      await valkey.kill();
      await valkey.start('--dbfilename', 'none.rdb');
      await sleep(300);
      await one.sessions.find(id).catch(() => undefined);
      await sleep(300);
      await expect(one.sessions.find(id)).resolves.toBeUndefined();
      await expect(one.sessions.begin(login())).resolves.toEqual(expect.any(String));
    });
  });
});

function keyHash(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}
