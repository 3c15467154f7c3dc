import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { atOnce } from '../../spec-support/at-once.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import { tokenHash } from '../protocol/token-hash.js';
import { Rechecks } from '../revocation/rechecks.js';
import { CachedIntrospection, type IntrospectionCacheOptions } from './cached-introspection.js';

const OPTIONS: IntrospectionCacheOptions = {
  issuer: 'https://sso.example.com/realms/shop',
  introspectionTtlSeconds: 10,
  maxCachedIntrospections: 3,
};
const ANY = Infinity;

class FakeClock {
  seconds = 1_700_000_000;
  epochSeconds = (): number => this.seconds;
  monotonicMs = (): number => this.seconds * 1000;
}

class FakeServer {
  readonly asked: string[] = [];
  readonly renewed: string[] = [];
  readonly held: (() => void)[] = [];
  holding = false;
  failing = false;
  readonly active = new Set<string>();
  expiresAt = Infinity;

  introspect = async (token: string): Promise<IntrospectionAnswer> => {
    this.asked.push(token);
    const answer = this.answerOn(token);
    const { failing } = this;
    if (this.holding) await new Promise<void>((resolve) => this.held.push(resolve));
    if (failing) throw new Error('unavailable');
    return answer;
  };

  answerOn = (token: string): IntrospectionAnswer =>
    this.active.has(token)
      ? { active: true, sub: token, exp: this.expiresAt, realm_access: { roles: ['a'] } }
      : { active: false };

  renew = async (token: string): Promise<IntrospectionAnswer> => {
    this.renewed.push(token);
    return this.introspect(token);
  };
}

let clock: FakeClock;
let server: FakeServer;
let inactive: string[];
let cache: CachedIntrospection;

beforeEach(() => {
  clock = new FakeClock();
  server = new FakeServer();
  server.active.add('good');
  server.expiresAt = clock.seconds + 1000;
  inactive = [];
  cache = new CachedIntrospection(server, OPTIONS, clock, (hash) => inactive.push(hash));
});

const activeNow = async (token: string, staleness = ANY): Promise<unknown> =>
  (await cache.introspect(token, staleness))['active'];

function questionUnderWay(staleness = ANY) {
  let answer: IntrospectionAnswer | undefined;
  let resolve: (answer: IntrospectionAnswer) => void = () => undefined;
  const { introspect } = server;
  server.introspect = (token) => {
    server.asked.push(token);
    return new Promise((settle) => (resolve = settle));
  };
  const answered = cache.introspect('good', staleness);
  server.introspect = introspect;
  const arrive = (): void => void (answer = server.answerOn('good'));
  return {
    arrive,
    land: async (): Promise<unknown> => {
      if (answer === undefined) arrive();
      resolve(answer ?? {});
      return (await answered)['active'];
    },
  };
}

describe('CachedIntrospection', () => {
  it('introspects once for 500 concurrent requests (RS-12)', async () => {
    const answers = await Promise.all(Array.from({ length: 500 }, () => cache.introspect('good', ANY)));
    expect(server.asked).toEqual(['good']);
    expect(new Set(answers).size).toBe(1);
  });

  it('accepts a revoked token only until the cached result expires (RS-13)', async () => {
    expect(await activeNow('good')).toBe(true);
    server.active.delete('good');
    clock.seconds += 9.99;
    expect(await activeNow('good')).toBe(true);
    clock.seconds += 0.02;
    expect(await activeNow('good')).toBe(false);
    expect(server.asked).toHaveLength(2);
  });

  it('measures the age of a result from the request, not from the response (RS-13)', async () => {
    server.holding = true;
    const first = cache.introspect('good', ANY);
    server.active.delete('good');
    clock.seconds += 6;
    server.holding = false;
    server.held.forEach((release) => release());
    await first;
    clock.seconds += 3;
    expect(await activeNow('good')).toBe(true);
    clock.seconds += 1.01;
    expect(await activeNow('good')).toBe(false);
  });

  it('never returns a cached result after the exp of the token (RS-12)', async () => {
    server.expiresAt = clock.seconds + 3;
    await activeNow('good');
    clock.seconds += 2.9;
    await activeNow('good');
    expect(server.asked).toHaveLength(1);
    clock.seconds += 0.1;
    await activeNow('good');
    expect(server.asked).toHaveLength(2);
  });

  it('introspects again if the request accepts no cached result (RS-13)', async () => {
    server.holding = true;
    const early = cache.introspect('good', ANY);
    server.active.delete('good');
    const late = cache.introspect('good', 0);
    const joining = cache.introspect('good', ANY);
    expect(server.asked).toHaveLength(2);
    server.held.toReversed().forEach((release) => release());
    expect((await late)['active']).toBe(false);
    expect((await early)['active']).toBe(true);
    expect((await joining)['active']).toBe(false);
    server.holding = false;
    expect(await activeNow('good')).toBe(false);
    expect(server.asked).toHaveLength(2);
  });

  it('does not cache an active response if a newer introspection found the token inactive (RS-13)', async () => {
    server.holding = true;
    const early = cache.introspect('good', ANY);
    server.active.delete('good');
    server.holding = false;
    expect(await activeNow('good', 0)).toBe(false);
    clock.seconds += 2.5;
    server.held.forEach((release) => release());
    expect((await early)['active']).toBe(true);
    expect(await activeNow('good')).toBe(false);
  });

  it('caches an inactive response even if a later introspection has found the token active (TX-06)', async () => {
    const early = questionUnderWay();
    expect(await activeNow('good', 0)).toBe(true);
    server.active.delete('good');
    expect(await early.land()).toBe(false);
    expect(inactive).toEqual([tokenHash('good')]);
    expect(atOnce(cache.introspect('good', ANY))).toEqual({ active: false });
    clock.seconds += 2;
    expect(await activeNow('good')).toBe(false);
    expect(server.asked).toHaveLength(3);
  });

  it('evicts the active result after an inactive response, even if this response is too old to be cached (TX-06)', async () => {
    const early = questionUnderWay();
    await activeNow('good', 0);
    server.active.delete('good');
    clock.seconds += 3;
    await early.land();
    expect(inactive).toEqual([tokenHash('good')]);
    expect(atOnce(cache.introspect('good', ANY))).toBeUndefined();
    expect(await activeNow('good')).toBe(false);
  });

  it('caches no active response that was pending when the token was found inactive (RS-13)', async () => {
    const [early, late] = [questionUnderWay(), questionUnderWay(0)];
    late.arrive();
    server.active.delete('good');
    await early.land();
    clock.seconds += 2;
    const next = activeNow('good');
    await late.land();
    expect(await next).toBe(false);
    clock.seconds += 2;
    expect(await activeNow('good')).toBe(false);
    expect(server.asked).toHaveLength(4);
  });

  it('caches no active result while an inactive result of the token is cached (RS-13)', async () => {
    server.active.delete('good');
    await activeNow('good');
    server.active.add('good');
    clock.seconds += 1;
    expect(await activeNow('good', 0)).toBe(true);
    expect(atOnce(cache.introspect('good', ANY))).toEqual({ active: false });
    clock.seconds += 1;
    expect(await activeNow('good')).toBe(true);
    expect(atOnce(cache.introspect('good', ANY))).toMatchObject({ active: true });
  });

  it('keeps an inactive result if an older introspection then returns inactive, too (RS-16)', async () => {
    server.active.delete('good');
    const early = questionUnderWay();
    clock.seconds += 1;
    await activeNow('good', 0);
    clock.seconds += 1.5;
    await early.land();
    expect(atOnce(cache.introspect('good', ANY))).toEqual({ active: false });
    expect(server.asked).toHaveLength(2);
  });

  it('returns no cached result that is too old for the request', async () => {
    await activeNow('good');
    clock.seconds += 3;
    await activeNow('good', 4);
    expect(server.asked).toHaveLength(1);
    await activeNow('good', 3);
    expect(server.asked).toHaveLength(2);
  });

  it('caches inactive results for two seconds, separately from active results (RS-16)', async () => {
    await activeNow('good');
    for (let junk = 0; junk < 100; junk += 1) await activeNow(`junk-${junk}`);
    await activeNow('junk-99');
    await activeNow('good');
    expect(server.asked).toHaveLength(101);
    clock.seconds += 2;
    await activeNow('junk-99');
    expect(server.asked).toHaveLength(102);
  });

  it('holds at most maxCachedIntrospections results', async () => {
    for (const token of ['a', 'b', 'c', 'd']) {
      server.active.add(token);
      await activeNow(token);
    }
    await activeNow('d');
    expect(server.asked).toHaveLength(4);
    await activeNow('a');
    expect(server.asked).toHaveLength(5);
  });

  it('returns no expired result while the server is down (RS-14)', async () => {
    await activeNow('good');
    server.failing = true;
    clock.seconds += 9;
    expect(await activeNow('good')).toBe(true);
    clock.seconds += 1;
    await expect(cache.introspect('good', ANY)).rejects.toThrow('unavailable');
    server.failing = false;
    expect(await activeNow('good')).toBe(true);
  });

  it('reports the hash of a token that was found inactive (TX-06)', async () => {
    await activeNow('good');
    expect(inactive).toEqual([]);
    server.active.delete('good');
    await activeNow('good', 0);
    expect(inactive).toEqual([tokenHash('good')]);
  });

  it('renews a result shortly before its expiry, while it returns the cached result (RS-12)', async () => {
    await activeNow('good');
    clock.seconds += 9.59;
    expect(atOnce(cache.introspect('good', ANY))).toBeDefined();
    expect(server.renewed).toEqual([]);
    clock.seconds += 0.22;
    server.holding = true;
    for (let at = 0; at < 10; at += 1) expect(atOnce(cache.introspect('good', ANY))).toMatchObject({ active: true });
    expect(server.renewed).toEqual(['good']);
    server.held.forEach((answer) => answer());
    await new Promise(setImmediate);
    clock.seconds += 9.5;
    expect(atOnce(cache.introspect('good', ANY))).toMatchObject({ active: true });
    clock.seconds += 0.6;
    expect(atOnce(cache.introspect('good', ANY))).toBeUndefined();
  });

  it('does not renew a result while another introspection of the token is pending (RS-12)', async () => {
    await activeNow('good');
    clock.seconds += 9.5;
    const { land } = questionUnderWay(0);
    clock.seconds += 0.4;
    expect(atOnce(cache.introspect('good', ANY))).toMatchObject({ active: true });
    expect(server.asked).toHaveLength(2);
    expect(await land()).toBe(true);
    clock.seconds += 9.59 - 0.4;
    expect(atOnce(cache.introspect('good', ANY))).toMatchObject({ active: true });
    expect(server.asked).toHaveLength(2);
  });

  it('returns the cached result until its expiry if the renewal fails', async () => {
    await activeNow('good');
    server.failing = true;
    clock.seconds += 9.9;
    for (let at = 0; at < 10; at += 1) {
      expect(atOnce(cache.introspect('good', ANY))).toMatchObject({ active: true });
      await new Promise(setImmediate);
    }
    expect(server.renewed).toEqual(['good']);
    clock.seconds += 0.1;
    expect(atOnce(cache.introspect('good', ANY))).toBeUndefined();
  });

  it('refuses a token as soon as the renewal finds that the token was revoked', async () => {
    await activeNow('good');
    server.active.delete('good');
    clock.seconds += 9.9;
    expect(atOnce(cache.introspect('good', ANY))).toMatchObject({ active: true });
    await new Promise(setImmediate);
    expect(atOnce(cache.introspect('good', ANY))).toEqual({ active: false });
    expect(inactive).toEqual([tokenHash('good')]);
  });

  it('does not renew an inactive result, or a result that expires together with its token', async () => {
    server.expiresAt = clock.seconds + 10;
    await activeNow('good');
    await activeNow('bad');
    clock.seconds += 1.99;
    expect(atOnce(cache.introspect('bad', ANY))).toEqual({ active: false });
    clock.seconds += 7.9;
    expect(atOnce(cache.introspect('good', ANY))).toMatchObject({ active: true });
    expect(server.renewed).toEqual([]);
  });

  it('returns an immutable result', async () => {
    const answer = await cache.introspect('good', ANY);
    const { roles } = answer['realm_access'] as { roles: string[] };
    expect(() => roles.push('admin')).toThrow(/not extensible/);
  });

  it('introspects for every request when the TTL is 0', async () => {
    cache = new CachedIntrospection(server, { ...OPTIONS, introspectionTtlSeconds: 0 }, clock, () => undefined);
    await activeNow('good');
    await activeNow('good');
    expect(server.asked).toHaveLength(2);
  });

  it('never reports a revoked token as active for longer than permitted (model, RS-13)', async () => {
    const step = fc.record({
      what: fc.constantFrom('ask', 'revoke', 'fail', 'heal'),
      token: fc.constantFrom('t1', 't2'),
      waitSeconds: fc.constantFrom(0, 0.5, 1, 3, 9.5, 9.7, 11),
      staleness: fc.constantFrom(0, 1, 5, ANY),
    });
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const time = new FakeClock();
        const realm = new FakeServer();
        realm.expiresAt = time.seconds + 60;
        const revokedAt = new Map<string, number>();
        for (const token of ['t1', 't2']) realm.active.add(token);
        const cached = new CachedIntrospection(realm, OPTIONS, time, () => undefined);
        for (const { what, token, waitSeconds, staleness } of steps) {
          time.seconds += waitSeconds;
          if (what === 'revoke' && realm.active.delete(token)) revokedAt.set(token, time.seconds);
          if (what === 'fail' || what === 'heal') realm.failing = what === 'fail';
          if (what !== 'ask') continue;
          const asking = async () => cached.introspect(token, staleness);
          const answer = await asking().catch(() => undefined);
          const sinceRevocation = time.seconds - (revokedAt.get(token) ?? time.seconds);
          const window = Math.min(staleness, OPTIONS.introspectionTtlSeconds);
          const revoked = revokedAt.has(token);
          const isRight =
            answer === undefined || (answer['active'] === true ? !revoked || sinceRevocation < window : revoked);
          expect(isRight).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a token that needs a recheck', () => {
  it('is introspected again, while the results of other tokens stay cached', async () => {
    const rechecks = new Rechecks(10_000, clock);
    cache = new CachedIntrospection(server, OPTIONS, clock, (hash) => inactive.push(hash), rechecks);
    server.active.add('other');
    await activeNow('good');
    await activeNow('other');
    clock.seconds += 1;
    rechecks.require({ sub: 'good' });
    clock.seconds += 1;
    expect([await activeNow('good'), await activeNow('good'), await activeNow('other')]).toEqual([true, true, true]);
    expect(server.asked).toEqual(['good', 'other', 'good']);
  });

  it('is introspected again, even if an introspection that began before the recheck is pending', async () => {
    const rechecks = new Rechecks(10_000, clock);
    cache = new CachedIntrospection(server, OPTIONS, clock, (hash) => inactive.push(hash), rechecks);
    server.holding = true;
    const before = activeNow('good');
    clock.seconds += 1;
    rechecks.require('everything');
    clock.seconds += 1;
    const after = activeNow('good');
    server.holding = false;
    for (const arrive of server.held.splice(0)) arrive();
    expect([await before, await after]).toEqual([true, true]);
    await activeNow('good');
    expect(server.asked).toEqual(['good', 'good']);
  });
});
