import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AuthorizationServerError } from 'nestjs-keycloak-s2s';
import type { ConnectedSharedCache } from 'nestjs-keycloak-s2s/extension';
import { testAccessToken } from 'nestjs-keycloak-s2s/testing';
import { SealingKeys, valkeyCache, ValkeyClient } from 'nestjs-keycloak-s2s/valkey';
import { CachedIntrospection } from '../../libs/keycloak/src/authorization-server/cached-introspection.js';
import { systemClock } from '../../libs/keycloak/src/caching/clock.js';
import { SharedLevel } from '../../libs/keycloak/src/caching/shared-level.js';
import { TokenSourceLog } from '../../libs/keycloak/src/client/token-source-log.js';
import { clientCredentialsRequest, tokenExchangeRequest } from '../../libs/keycloak/src/client/token-request.js';
import { TokenSource } from '../../libs/keycloak/src/client/token-source.js';
import type { IntrospectionAnswer } from '../../libs/keycloak/src/protocol/claims.js';
import { IssuedToken } from '../../libs/keycloak/src/protocol/issued-token.js';
import { HeldDenials } from '../../libs/keycloak/src/revocation/held-denials.js';
import { Rechecks } from '../../libs/keycloak/src/revocation/rechecks.js';
import { RevocationList } from '../../libs/keycloak/src/revocation/revocation-list.js';
import { ValkeySharedCache } from '../../libs/keycloak/src/entry-points/valkey/valkey-shared-cache.js';
import { Valkey, valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';

const key = (): string => randomBytes(32).toString('base64');
const KEYS = [key()];
const OPTIONS = {
  issuer: 'https://keycloak.test/realms/test',
  clientId: 'service-b',
  allowInsecureRequests: true,
  introspectionTtlSeconds: 10,
  maxCachedIntrospections: 1000,
  minRemainingLifetimeSeconds: 10,
  maxCachedTokens: 1000,
  maxRevocations: 1000,
  revocationRetentionSeconds: 600,
  clockToleranceSeconds: 5,
};

let valkey: Valkey;
let asked: string[];
let answering: (token: string) => Promise<IntrospectionAnswer>;
let issuing: (scope: string) => Promise<IssuedToken>;
const open: SharedLevel[] = [];

interface Replica {
  readonly introspection: CachedIntrospection;
  readonly tokens: TokenSource;
  readonly rechecks: Rechecks;
  readonly revocations: RevocationList;
  readonly failures: string[];
  ask(token: string, maxStalenessSeconds?: number): Promise<unknown>;
}

async function replica(
  bent: Partial<typeof OPTIONS> & {
    readonly keys?: readonly string[];
    readonly url?: string;
    readonly deadlineMs?: number;
  } = {},
): Promise<Replica> {
  const { keys = KEYS, deadlineMs = 5000, ...others } = bent;
  const { url = valkey.urlOf(others.clientId ?? OPTIONS.clientId) } = bent;
  const options = { ...OPTIONS, ...others };
  const failures: string[] = [];
  const client = new ValkeyClient({ url: `${url}/1`, deadlineMs });
  const cache = new ValkeySharedCache(client, new SealingKeys(keys), options);
  const shared = new SharedLevel(cache, systemClock, ({ reason }) => void failures.push(reason));
  open.push(shared);
  await shared.open();
  const rechecks = new Rechecks(options.introspectionTtlSeconds * 1000, systemClock);
  const quiet = { warn: () => undefined };
  const denials = new HeldDenials(options, systemClock, quiet);
  const revocations = new RevocationList([{ issuer: options.issuer, denials, rechecks }]);
  const endpoint = {
    clientCredentials: (scope: string) => issue(scope),
    exchange: (_: unknown, audience: string, scope: string) => issue(`${audience} ${scope}`),
  };
  const issue = async (scope: string): Promise<IssuedToken> => {
    asked.push(scope);
    return issuing(scope);
  };
  const introspect = async (token: string): Promise<IntrospectionAnswer> => {
    asked.push(token);
    return answering(token);
  };
  const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };
  const tokens = new TokenSource(endpoint, options, systemClock, new TokenSourceLog(silent), revocations, shared);
  const introspection = new CachedIntrospection(
    { introspect, renew: introspect },
    options,
    systemClock,
    (hash) => tokens.dropExchangedFrom(hash),
    rechecks,
    shared,
  );
  const ask = async (token: string, maxStalenessSeconds = Infinity): Promise<unknown> =>
    (await introspection.introspect(token, maxStalenessSeconds))['sub'];
  return { introspection, tokens, rechecks, revocations, failures, ask };
}

const command = (...args: string[]): Promise<unknown> => valkey.command(args, 1);

const names = async (): Promise<string[]> => ((await command('KEYS', '*')) as string[]).toSorted();
async function settled(): Promise<void> {
  do await sleep(20);
  while ((await names()).some((name) => name.endsWith('lease')));
}
const exp = (seconds = 300): number => Math.floor(Date.now() / 1000) + seconds;
const unavailable = new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' });

const onValkey = valkeyPath === undefined ? describe.skip : describe;

onValkey('a shared cache in Valkey', () => {
  beforeAll(async () => {
    valkey = await Valkey.start(valkeyPath ?? '');
  });
  afterAll(() => valkey.remove());
  beforeEach(async () => {
    await command('FLUSHALL');
    asked = [];
    answering = async (token) => {
      await sleep(20);
      return { active: true, sub: `sub of ${token}`, sid: 's1', azp: 'service-a', exp: exp() };
    };
    issuing = async (scope) => {
      await sleep(20);
      return new IssuedToken(`token-${asked.length}`, scope.split(' '), 300);
    };
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const shared of open.splice(0)) await shared.close();
  });

  describe('as a cache of introspection results', () => {
    it('lets one replica introspect a token, and shares the result with all replicas', async () => {
      const [one, other, third] = await Promise.all([replica(), replica(), replica()]);
      await expect(one.ask('the-token')).resolves.toBe('sub of the-token');
      await settled();
      await expect(other.ask('the-token')).resolves.toBe('sub of the-token');
      const all = Array.from({ length: 100 }, () => [one, other, third]).flat();
      const got = await Promise.all(all.map(({ ask }) => ask('new-token')));
      expect(new Set(got)).toEqual(new Set(['sub of new-token']));
      expect(asked).toEqual(['the-token', 'new-token']);
    });

    it('keeps the age of a result, so that no replica uses the result after the ttl', async () => {
      const [one, other] = await Promise.all([
        replica({ introspectionTtlSeconds: 1 }),
        replica({ introspectionTtlSeconds: 1 }),
      ]);
      await one.ask('the-token');
      await sleep(700);
      await other.ask('the-token');
      await sleep(320);
      answering = async () => ({ active: false });
      await expect(other.introspection.introspect('the-token', Infinity)).resolves.toEqual({ active: false });
      expect(asked).toHaveLength(2);
    });

    it('introspects again if a shared result is older than the request accepts', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      await one.ask('the-token');
      await sleep(120);
      await other.ask('the-token', 0.1);
      expect(asked).toHaveLength(2);
      await settled();
      const before = await names();
      await other.ask('another-token', 0);
      await settled();
      expect(await names()).toEqual(before);
      expect(asked).toHaveLength(3);
    });

    it('introspects again if one of two concurrent callers requires a more recent result', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      await one.ask('the-token');
      await sleep(120);
      const [wide, strict] = await Promise.all([other.ask('the-token'), other.ask('the-token', 0.1)]);
      expect([wide, strict]).toEqual(['sub of the-token', 'sub of the-token']);
      expect(asked).toHaveLength(2);
    });

    it('does not reuse a result that is older than a recheck', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      await one.ask('the-token');
      await settled();
      other.rechecks.require({ sid: 's1' });
      await other.ask('the-token');
      expect(asked).toHaveLength(2);
      await settled();
      await expect((await replica()).ask('the-token')).resolves.toBeDefined();
      expect(asked).toHaveLength(2);
    });

    it('shares an inactive result, even if an active result arrives late', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      let land: (answer: IntrospectionAnswer) => void = () => undefined;
      answering = () => new Promise((resolve) => (land = resolve));
      const late = one.ask('the-token');
      await sleep(20);
      answering = async () => ({ active: false });
      await other.introspection.introspect('the-token', 0);
      // A result for the maximum age 0 is not shared, so a third replica introspects and shares the inactive result.
      land({ active: true, sub: 'late', exp: exp() });
      await late;
      await settled();
      const third = await replica({ introspectionTtlSeconds: 1 });
      await command('FLUSHALL');
      await expect(third.introspection.introspect('the-token', Infinity)).resolves.toEqual({ active: false });
      await settled();
      await expect((await replica()).introspection.introspect('the-token', Infinity)).resolves.toEqual({
        active: false,
      });
      expect(asked).toHaveLength(3);
    });

    it("does not replace an inactive result by another replica's active result (RS-13)", async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      await one.ask('the-token');
      await settled();
      answering = async () => ({ active: false });
      await expect(other.introspection.introspect('the-token', 0)).resolves.toEqual({ active: false });
      await sleep(2100);
      await expect(other.introspection.introspect('the-token', Infinity)).resolves.toEqual({ active: false });
      expect(asked).toHaveLength(3);
    });

    it('does not share a late active result after a newer inactive result', async () => {
      const one = await replica();
      let land: (answer: IntrospectionAnswer) => void = () => undefined;
      answering = () => new Promise((resolve) => (land = resolve));
      const late = one.ask('the-token');
      await sleep(30);
      answering = async () => ({ active: false });
      await one.introspection.introspect('the-token', 0);
      land({ active: true, sub: 'late', exp: exp() });
      await late;
      await settled();
      await expect((await replica()).introspection.introspect('the-token', Infinity)).resolves.toEqual({
        active: false,
      });
      expect(asked).toHaveLength(2);
    });

    it('keeps an inactive result if another replica later shares an older active result', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      let land: (answer: IntrospectionAnswer) => void = () => undefined;
      answering = () => new Promise((resolve) => (land = resolve));
      const late = one.ask('the-token');
      await sleep(30);
      // Simulates that the lease of the first replica has expired.
      for (const name of await names()) await command('DEL', name);
      answering = async () => ({ active: false });
      await other.introspection.introspect('the-token', Infinity);
      await sleep(2100);
      land({ active: true, sub: 'late', exp: exp() });
      await late;
      await settled();
      await expect((await replica()).introspection.introspect('the-token', Infinity)).resolves.toEqual({
        active: false,
      });
      expect(asked).toHaveLength(3);
    });

    it('introspects at most twice for many waiting callers if a recheck arrives during the first call', async () => {
      const one = await replica();
      const all = Array.from({ length: 100 }, () => one.ask('the-token'));
      one.rechecks.require({ sid: 's1' });
      await Promise.all([...all, ...Array.from({ length: 100 }, () => one.ask('the-token'))]);
      expect(asked.length).toBeLessThanOrEqual(2);
    });

    it('introspects once if a result is too old for many callers', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      await one.ask('the-token');
      await sleep(150);
      await Promise.all([other.ask('the-token'), ...Array.from({ length: 200 }, () => other.ask('the-token', 0.1))]);
      expect(asked).toHaveLength(2);
    });

    it('after a recheck, introspects once, and all replicas use the result', async () => {
      const replicas = await Promise.all([replica(), replica(), replica(), replica()]);
      await Promise.all(replicas.map(({ ask }) => ask('the-token')));
      await settled();
      for (const { rechecks } of replicas) rechecks.require('everything');
      // Without this pause, a new result could count as older than the recheck.
      await sleep(50);
      await Promise.all(replicas.map(({ ask }) => ask('the-token')));
      expect(asked).toHaveLength(2);
    });

    it('shares the results of many concurrent tokens', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      // More than 64, so lookups wait in the queue. On a busy machine, many more would wait for too long.
      const many = Array.from({ length: 150 }, (_, at) => `token ${at}`);
      await Promise.all(many.map((token) => one.ask(token)));
      await settled();
      await Promise.all(many.map((token) => other.ask(token)));
      expect([asked.length, one.failures, other.failures]).toEqual([150, [], []]);
    });

    it('removes a result when the token expires', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      answering = async () => ({ active: true, sub: 'x', exp: exp(2) });
      await one.ask('the-token');
      await sleep(2100);
      expect((await names()).filter((name) => !name.endsWith('lease'))).toEqual([]);
      await other.ask('the-token');
      expect(asked).toHaveLength(2);
    });

    it('renews a frequently used result once for all replicas', async () => {
      const replicas = await Promise.all(
        [replica, replica, replica].map((make) => make({ introspectionTtlSeconds: 1 })),
      );
      await Promise.all(replicas.map(({ ask }) => ask('the-token')));
      const end = Date.now() + 3000;
      for (; Date.now() < end; await sleep(5)) await Promise.all(replicas.map(({ ask }) => ask('the-token')));
      // The loop lasts about four ttls.
      expect(asked.length).toBeGreaterThanOrEqual(3);
      expect(asked.length).toBeLessThanOrEqual(6);
    });

    it('lets another replica introspect after a failure, and does not share the failure', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      let times = 0;
      const answer = answering;
      answering = async (token) => {
        times += 1;
        await sleep(20);
        return times === 1 ? Promise.reject(unavailable) : answer(token);
      };
      const [first, second] = await Promise.allSettled([one.ask('the-token'), other.ask('the-token')]);
      expect([first, second].map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(asked).toHaveLength(2);
    });

    it('lets another replica introspect immediately if the first replica shuts down', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      answering = () => new Promise(() => undefined);
      void one.ask('the-token');
      await sleep(20);
      await open[0]?.close();
      answering = async () => ({ active: true, sub: 'x', exp: exp() });
      await expect(other.ask('the-token')).resolves.toBe('x');
      expect(asked).toHaveLength(2);
    });

    it('lets the other replicas wait for a slow introspection', async () => {
      const replicas = await Promise.all([replica(), replica(), replica()]);
      answering = async () => {
        await sleep(1500);
        return { active: true, sub: 'x', exp: exp() };
      };
      await expect(Promise.all(replicas.map(({ ask }) => ask('the-token')))).resolves.toEqual(['x', 'x', 'x']);
      expect(asked).toHaveLength(1);
    });
  });

  describe('as a cache of issued tokens', () => {
    const own = clientCredentialsRequest('orders.approve');
    const textOf = async ({ tokens }: Replica, request: Parameters<TokenSource['get']>[0] = own): Promise<string> =>
      (await tokens.get(request)).reveal();

    it('lets one replica request a token, and shares the token and the scope', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      const got = await Promise.all(Array.from({ length: 40 }, () => [textOf(one), textOf(other)]).flat());
      expect(new Set(got)).toEqual(new Set(['token-1']));
      await settled();
      const third = await (await replica()).tokens.get(own);
      expect([third.reveal(), third.scope]).toEqual(['token-1', ['orders.approve']]);
      expect(asked).toHaveLength(1);
    });

    it('shares exchanged tokens only for an equal subject, audience and scope', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      const [alice, bob] = [
        testAccessToken({ subject: 'alice', claims: { sid: 'a' } }),
        testAccessToken({ subject: 'bob' }),
      ];
      await textOf(one, tokenExchangeRequest(alice, 'service-c', 'x'));
      await settled();
      expect(await textOf(other, tokenExchangeRequest(alice, 'service-c', 'x'))).toBe('token-1');
      expect(await textOf(other, tokenExchangeRequest(bob, 'service-c', 'x'))).toBe('token-2');
      expect(await textOf(other, tokenExchangeRequest(alice, 'service-c', 'y'))).toBe('token-3');
      const third = await replica();
      third.revocations.deny({ sid: 'a' });
      expect(() => third.tokens.get(tokenExchangeRequest(alice, 'service-c', 'x'))).toThrow(/token/i);
    });

    it('removes an exchanged token before the subject token expires', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      const subject = testAccessToken({ claims: { exp: exp(12) } });
      await textOf(one, tokenExchangeRequest(subject, 'service-c', 'x'));
      await settled();
      expect(await textOf(other, tokenExchangeRequest(subject, 'service-c', 'x'))).toBe('token-1');
      const [entry = ''] = (await names()).filter((name) => !name.endsWith('lease'));
      expect(Number(await command('PTTL', entry))).toBeLessThan(12_000);
    });

    it('returns a new token after the called service has refused the token', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      await textOf(one);
      await settled();
      const token = await other.tokens.get(own);
      expect(other.tokens.dropRefused(own, token)).toBe(true);
      expect(await textOf(other)).toBe('token-2');
      await settled();
      expect(await textOf(await replica())).toBe('token-2');
    });

    it('drops the exchanged tokens of an inactive subject token, even during an exchange (TX-06)', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      const request = tokenExchangeRequest(testAccessToken(), 'service-c', 'x');
      const { hash } = request.subject;
      await textOf(one, request);
      await settled();
      other.tokens.dropExchangedFrom(hash);
      expect(await textOf(other, request)).toBe('token-2');
      await command('FLUSHALL');
      const third = await replica();
      const exchanging = textOf(third, request);
      await sleep(10);
      third.tokens.dropExchangedFrom(hash);
      await exchanging;
      await settled();
      expect(await names()).toEqual([]);
    });

    it('does not share an exchanged token if a denial of the session arrives during the exchange', async () => {
      const one = await replica();
      const request = tokenExchangeRequest(testAccessToken({ claims: { sid: 'a' } }), 'service-c', 'x');
      const exchanging = textOf(one, request);
      await sleep(10);
      one.revocations.deny({ sid: 'a' });
      await expect(exchanging).rejects.toMatchObject({ reason: 'revoked' });
      await settled();
      expect(await names()).toEqual([]);
    });

    it('requests at most one new token for each replica that reports a refused token', async () => {
      const replicas = await Promise.all([replica(), replica(), replica()]);
      for (const one of replicas) {
        const token = await one.tokens.get(own);
        one.tokens.dropRefused(own, token);
        await settled();
      }
      expect(new Set(await Promise.all(replicas.map((one) => textOf(one))))).toEqual(
        new Set([`token-${asked.length}`]),
      );
      expect(asked.length).toBeLessThanOrEqual(4);
    });

    it('does not replace a token by a shared token that expires soon', async () => {
      const [one, other] = await Promise.all([
        replica({ minRemainingLifetimeSeconds: 1 }),
        replica({ minRemainingLifetimeSeconds: 1 }),
      ]);
      issuing = async () => new IssuedToken(`token-${asked.length}`, ['orders.approve'], 4);
      await textOf(one);
      await settled();
      await textOf(other);
      for (const end = Date.now() + 2900; Date.now() < end; await sleep(20))
        await Promise.all([textOf(one), textOf(other)]);
      await settled();
      expect(asked).toHaveLength(2);
      expect(await Promise.all([textOf(one), textOf(other)])).toEqual(['token-2', 'token-2']);
    });
  });

  describe('in a Valkey server that an attacker can change', () => {
    it('reveals no token, name or scope', async () => {
      const one = await replica();
      await one.ask('the-token');
      await one.tokens.get(clientCredentialsRequest('orders.approve'));
      await settled();
      const seen: string[] = [];
      for (const name of await names()) seen.push(name, JSON.stringify(await command('HGETALL', name)));
      expect(seen).toHaveLength(4);
      const hash = createHash('sha256').update('the-token').digest();
      expect(seen.join('\n')).not.toMatch(/the-token|sub of|token-1|orders|keycloak\.test/);
      expect(seen.join('\n')).not.toContain(hash.toString('base64url'));
      expect(seen.join('\n')).not.toContain(hash.toString('hex'));
    });

    it('ignores results that an attacker has copied to another key, postdated or overwritten', async () => {
      const one = await replica({ introspectionTtlSeconds: 1 });
      await one.ask('alices-token');
      await settled();
      const [alices = ''] = await names();
      await one.ask('bobs-token');
      await settled();
      const [bobs = ''] = (await names()).filter((name) => name !== alices);
      await command('COPY', alices, bobs, 'REPLACE');
      await expect((await replica()).ask('bobs-token')).resolves.toBe('sub of bobs-token');
      const other = await replica({ introspectionTtlSeconds: 1 });
      await command('PERSIST', alices);
      await sleep(1100);
      await command('HSET', alices, 'a', String(Date.now()));
      asked = [];
      await other.ask('alices-token');
      expect(asked).toEqual(['alices-token']);
      for (const name of await names()) await command('SET', name, 'garbage');
      await expect((await replica()).ask('alices-token')).resolves.toBe('sub of alices-token');
      for (const name of await names()) await command('DEL', name);
      for (const name of [alices, `${alices}:lease`]) await command('LPUSH', name, 'garbage');
      await expect((await replica()).ask('alices-token')).resolves.toBe('sub of alices-token');
    });

    it.each<[string, Parameters<typeof replica>[0]]>([
      ['another key', { keys: [key()] }],
      ['another service', { clientId: 'service-c' }],
      ['another realm', { issuer: 'https://keycloak.test/realms/other' }],
    ])('ignores entries that were encrypted by %s', async (_, bent) => {
      const [one, other] = await Promise.all([replica(), replica(bent)]);
      await one.ask('the-token');
      await settled();
      const [from = ''] = await names();
      await other.ask('the-token');
      await settled();
      expect(asked).toHaveLength(2);
      const [into = ''] = (await names()).filter((name) => name !== from);
      await command('COPY', from, into, 'REPLACE');
      await (await replica(bent)).ask('the-token');
      expect(asked).toHaveLength(3);
    });
  });

  describe('at replicas whose clocks differ', () => {
    const differBy = (seconds: number): void => {
      const { now } = Date;
      jest.spyOn(Date, 'now').mockImplementation(() => now() + seconds * 1000);
    };

    it.each([30, -30])(
      'does not use a result after the ttl if the clock of a new replica is wrong by %d s',
      async (seconds) => {
        differBy(seconds);
        const one = await replica({ introspectionTtlSeconds: 1 });
        await one.ask('the-token');
        jest.restoreAllMocks();
        const other = await replica({ introspectionTtlSeconds: 1 });
        await sleep(1050);
        await other.ask('the-token');
        expect(asked).toHaveLength(2);
      },
    );

    it("does not use a result after the ttl if Valkey's clock is set back", async () => {
      const [one, other] = await Promise.all([
        replica({ introspectionTtlSeconds: 3 }),
        replica({ introspectionTtlSeconds: 3 }),
      ]);
      await other.ask('another');
      await one.ask('the-token');
      await settled();
      const { now: monotonic } = performance;
      // If `performance.now()` jumps ahead, the clock of Valkey seems to be set back.
      jest.spyOn(performance, 'now').mockImplementation(() => monotonic.call(performance) + 5000);
      differBy(0);
      await other.ask('the-token');
      expect(asked).toEqual(['another', 'the-token', 'the-token']);
    });

    it('stores no entry until the replica knows the time of the server', async () => {
      const cache = valkeyCache({ url: `${valkey.url}/1`, keys: KEYS }).connect(OPTIONS);
      await cache.put('key', { text: 'text', ageMs: 0, servesMs: 1000, isFinal: false });
      expect(await names()).toEqual([]);
      await cache.open();
      await cache.put('key', { text: 'text', ageMs: 0, servesMs: 1000, isFinal: false });
      expect(await names()).toHaveLength(1);
      await cache.close();
    });
  });

  describe('as a store of single entries', () => {
    const entry = { text: 'old', ageMs: 500, servesMs: 60_000, isFinal: false };
    let cache: ConnectedSharedCache;
    /** Has the default deadline, which a call on a busy machine may exceed. */
    let hasty: ConnectedSharedCache;
    beforeEach(async () => {
      const client = new ValkeyClient({ url: `${valkey.url}/1`, deadlineMs: 5000 });
      cache = new ValkeySharedCache(client, new SealingKeys(KEYS), OPTIONS);
      hasty = valkeyCache({ url: `${valkey.url}/1`, keys: KEYS }).connect(OPTIONS);
      await Promise.all([cache.open(), hasty.open()]);
    });
    afterEach(() => Promise.all([cache.close(), hasty.close()]));
    const textIn = async (): Promise<string> => {
      const looked = await cache.look('key', 60_000);
      return looked.kind === 'found' ? looked.text : looked.kind;
    };

    it('keeps the newer of two results, but never replaces a final result', async () => {
      await cache.put('key', { ...entry, text: 'new', ageMs: 100 });
      await cache.put('key', entry);
      expect(await textIn()).toBe('new');
      await cache.put('key', { ...entry, text: 'final', isFinal: true });
      expect(await textIn()).toBe('final');
      await cache.put('key', { ...entry, text: 'newer', ageMs: 0 });
      expect(await textIn()).toBe('final');
    });

    it('replaces an entry without an expiry or with a time in the future', async () => {
      await cache.put('key', { ...entry, text: 'final', isFinal: true });
      const [name = ''] = await names();
      await command('PERSIST', name);
      await cache.put('key', { ...entry, text: 'new', ageMs: 0 });
      expect(await textIn()).toBe('new');
      await command('HSET', name, 'a', '999999999999999');
      expect(await textIn()).toBe('lease');
      await cache.put('key', { ...entry, text: 'newer', ageMs: 0 });
      expect(await textIn()).toBe('newer');
    });

    it('gives the lease to one caller until the caller releases the lease', async () => {
      expect((await cache.look('key', 1000)).kind).toBe('lease');
      expect((await cache.look('key', 1000)).kind).toBe('taken');
      await cache.release('key');
      expect((await cache.look('key', 1000)).kind).toBe('lease');
    });

    it('does not time out because this process was busy', async () => {
      const looked = hasty.look('key', 1000);
      for (const beganMs = performance.now(); performance.now() - beganMs < 150;);
      await expect(looked).resolves.toEqual({ kind: 'taken' });
    });

    it('leaves no lease for a caller whose request has timed out', async () => {
      for (let round = 0; round < 10; round += 1) {
        valkey.freeze();
        await expect(hasty.look('key', 1000)).rejects.toThrow('timeout');
        valkey.thaw();
        await sleep(50);
        expect(await names()).toEqual([]);
      }
    });
  });

  describe('with a faulty Valkey server', () => {
    afterEach(async () => {
      valkey.thaw();
      await valkey.kill();
      await valkey.start();
    });

    it.each<[string, () => Promise<unknown>]>([
      ['is down', () => valkey.kill()],
      ['hangs', async () => valkey.freeze()],
      ['is full', () => command('CONFIG', 'SET', 'maxmemory', '1')],
      ['is read-only', () => command('REPLICAOF', '127.0.0.1', '1')],
    ])('lets each replica ask Keycloak, and logs the fault once, if the server %s', async (_, away) => {
      const [one, other] = await Promise.all([replica({ deadlineMs: 50 }), replica({ deadlineMs: 50 })]);
      await one.ask('before');
      await settled();
      await away();
      for (const token of ['a', 'b', 'c']) {
        await expect(one.ask(token)).resolves.toBe(`sub of ${token}`);
        await expect(other.ask(token)).resolves.toBe(`sub of ${token}`);
      }
      await other.tokens.get(clientCredentialsRequest('x'));
      expect(asked).toHaveLength(8);
      await sleep(100);
      expect(one.failures).toHaveLength(1);
    });

    it('shares results again after the server has started empty', async () => {
      const [one, other] = await Promise.all([replica(), replica()]);
      await one.ask('the-token');
      await valkey.kill();
      await valkey.start();
      for (const by of [one, other]) await by.ask(`by ${randomBytes(4).toString('hex')}`);
      await sleep(500);
      asked = [];
      await one.ask('another');
      await settled();
      await other.ask('another');
      expect(asked).toEqual(['another']);
    });
  });
});
