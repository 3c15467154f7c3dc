import { beforeEach, describe, expect, it } from '@jest/globals';
import { StillClock } from '../../spec-support/still-clock.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import { tokenHash } from '../protocol/token-hash.js';
import { Rechecks } from '../revocation/rechecks.js';
import type { SharedLevel } from '../caching/shared-level.js';
import { SignalProof } from '../revocation/signal-proof.js';
import { ANY_ANSWER, CachedIntrospection } from './cached-introspection.js';
import { StaleAnswers } from './stale-answers.js';

const [TTL, LONG, STALE] = [10, 300, 60];
const OPTIONS = {
  issuer: 'https://sso.example.com/realms/shop',
  introspectionTtlSeconds: TTL,
  introspectionTtlWithEventsSeconds: LONG,
  maxCachedIntrospections: 100,
};

let clock: StillClock;
let proof: SignalProof;
let rechecks: Rechecks;
let stale: StaleAnswers;
let cache: CachedIntrospection;
let asked: string[];
let lines: string[];
let spans: number[];
let active: boolean;
let failure: unknown;
let isReported: boolean;
let delay: () => void;
let shared: SharedLevel | undefined;

const failed = (reason: AuthorizationServerErrorReason): AuthorizationServerError =>
  new AuthorizationServerError('authorization_server_unavailable', { reason });

function cacheOf(staleSeconds: number): CachedIntrospection {
  const log = (message: string, { seconds }: { seconds?: number } = {}): void => {
    lines.push(message);
    if (seconds !== undefined) spans.push(seconds);
  };
  stale = new StaleAnswers({ introspectionStaleIfErrorSeconds: staleSeconds, timeoutMs: 3000 }, clock, {
    warn: log,
    log,
  });
  const introspect = async (token: string): Promise<IntrospectionAnswer> => {
    asked.push(token);
    delay();
    if (failure instanceof Promise) await failure;
    if (failure !== undefined) throw failure;
    return { active, sub: 'alice', sid: 's1', exp: clock.date + 100 };
  };
  const signalled = {
    healthyUntilMs: (askedAtMs: number) => proof.healthyUntilMs(askedAtMs),
    tellsOf: () => isReported,
  };
  return new CachedIntrospection(
    { introspect, renew: introspect },
    OPTIONS,
    clock,
    () => undefined,
    rechecks,
    shared,
    signalled,
    stale,
  );
}

beforeEach(() => {
  clock = new StillClock();
  proof = new SignalProof(clock);
  rechecks = new Rechecks((LONG + STALE) * 1000, clock);
  [asked, lines, spans, active, failure, isReported, shared] = [[], [], [], true, undefined, true, undefined];
  delay = () => undefined;
  cache = cacheOf(STALE);
});

const ask = async (token = 'a', staleness = ANY_ANSWER): Promise<IntrospectionAnswer> =>
  cache.introspect(token, staleness, tokenHash(token));

async function outage(reason: AuthorizationServerErrorReason = 'timeout'): Promise<void> {
  await ask();
  failure = failed(reason);
}

async function knownOutage(): Promise<void> {
  await outage();
  clock.advance(TTL);
  await ask();
}

describe('an expired introspection result during an outage', () => {
  it.each<AuthorizationServerErrorReason>([
    'timeout',
    'ECONNREFUSED',
    'answer_broken_off',
    'answered_503_unexpected_status',
  ])('is used for introspectionStaleIfErrorSeconds after %s, and no longer (RS-13)', async (reason) => {
    await outage(reason);
    clock.advance(TTL + STALE - 1);
    await expect(ask()).resolves.toMatchObject({ active: true });
    clock.advance(1);
    await expect(ask()).rejects.toBe(failure);
  });

  it.each<AuthorizationServerErrorReason>([
    'queue_full',
    'answered_429_unexpected_status',
    'nonsense_answer',
    'issuer_mismatch',
    'realm_not_found',
  ])('is not used after %s', async (reason) => {
    await outage(reason);
    clock.advance(TTL);
    await expect(ask()).rejects.toBe(failure);
    expect(lines).toEqual([]);
  });

  it('is not used after a refusal', async () => {
    await ask();
    failure = AuthorizationServerError.answered(401, 'invalid_client');
    clock.advance(TTL);
    await expect(ask()).rejects.toBe(failure);
  });

  it.each<[string, unknown]>([
    ['a refusal', AuthorizationServerError.answered(401, 'invalid_client')],
    ['a nonsensical answer', failed('nonsense_answer')],
  ])('is no longer used after %s in a known outage (RS-14)', async (_case, refusal) => {
    await knownOutage();
    failure = refusal;
    clock.advance(1);
    await ask();
    await new Promise(setImmediate);
    await expect(ask()).rejects.toBe(refusal);
    expect(lines.at(-1)).toContain('Keycloak answers again');
  });

  it('is no longer used if this service cannot read its credential, and the log does not say that Keycloak answers', async () => {
    await knownOutage();
    failure = failed('client_credential_unreadable');
    clock.advance(1);
    await ask();
    await new Promise(setImmediate);
    await expect(ask()).rejects.toBe(failure);
    expect(lines).toEqual([expect.stringContaining('Keycloak does not answer')]);
  });

  it('is used while the circuit is open because of time-outs', async () => {
    await knownOutage();
    failure = failed('circuit_open');
    for (let second = 0; second < 20; second += 1) {
      clock.advance(1);
      await expect(ask()).resolves.toMatchObject({ active: true });
      await new Promise(setImmediate);
    }
  });

  it.each<AuthorizationServerErrorReason>([
    'answered_429_unexpected_status',
    'answer_not_json',
    'answer_too_large',
    'nonsense_answer',
  ])('is not used while the circuit is open because of %s (RS-14)', async (reason) => {
    await outage(reason);
    clock.advance(TTL);
    await expect(ask()).rejects.toBe(failure);
    failure = failed('circuit_open');
    await expect(ask()).rejects.toBe(failure);
    clock.advance(1);
    await expect(ask()).rejects.toBe(failure);
    expect(lines).toEqual([]);
  });

  it('is not used while the circuit is open, if a route that limits the age of results opened the circuit', async () => {
    await outage('nonsense_answer');
    await expect(ask('a', 0)).rejects.toBe(failure);
    failure = failed('circuit_open');
    clock.advance(TTL);
    await expect(ask()).rejects.toBe(failure);
  });

  it('is reported as in use only while it is used, and the log says for how long it was used', async () => {
    await knownOutage();
    clock.advance(STALE);
    for (let second = 0; second < 60; second += 1) {
      clock.advance(1);
      await expect(ask()).rejects.toBe(failure);
    }
    expect(stale.status).toEqual({ maxSeconds: STALE });
    failure = undefined;
    await ask();
    expect(lines).toHaveLength(2);
    expect(spans).toEqual([0]);
  });

  it('is reported again in a later outage, even if no call noticed the end of the first', async () => {
    await knownOutage();
    clock.advance(STALE + 1);
    lines.length = 0;
    stale.failed(failed('timeout'), clock.monotonicMs());
    stale.used(clock.monotonicMs());
    expect(stale.status).toEqual({ maxSeconds: STALE, inUseSeconds: 0 });
    expect(lines).toEqual([expect.stringContaining('Keycloak does not answer')]);
  });

  it('is replaced as soon as the server answers, even if an earlier trial hangs', async () => {
    await knownOutage();
    failure = new Promise(() => undefined);
    for (const trial of [1, 2]) {
      const before = asked.length;
      clock.advance(1);
      await ask();
      expect({ trial, asked: asked.length - before }).toEqual({ trial, asked: 1 });
    }
  });

  it('is no longer used if an earlier call times out after a later call was answered', () => {
    const startedMs = clock.monotonicMs();
    clock.advance(1);
    stale.end();
    stale.failed(failed('timeout'), startedMs);
    expect(stale.isKnownOutage(clock.monotonicMs())).toBe(false);
  });

  it('is used if calls that began before the last answer opened the circuit', () => {
    const startedMs = clock.monotonicMs();
    clock.advance(1);
    stale.end();
    stale.failed(failed('ECONNRESET'), startedMs);
    stale.failed(failed('circuit_open'), clock.monotonicMs());
    expect(stale.permitsAfter(failed('circuit_open'))).toBe(true);
  });

  it('is used although a call ends with a 429 that is older than the outage', () => {
    const startedMs = clock.monotonicMs();
    clock.advance(1);
    stale.failed(failed('timeout'), clock.monotonicMs());
    stale.failed(failed('answered_429_unexpected_status'), startedMs);
    expect(stale.isKnownOutage(clock.monotonicMs())).toBe(true);
    stale.failed(failed('answered_429_unexpected_status'), clock.monotonicMs());
    expect(stale.isKnownOutage(clock.monotonicMs())).toBe(false);
  });

  it('is used after queue_full in a known outage, and does not end it', async () => {
    await knownOutage();
    failure = failed('queue_full');
    clock.advance(1);
    await ask();
    await new Promise(setImmediate);
    await expect(ask()).resolves.toMatchObject({ active: true });
  });

  it('is not used without a new failure if nobody has asked the server for a while', async () => {
    await knownOutage();
    failure = undefined;
    active = false;
    clock.advance(6);
    expect(stale.status).toEqual({ maxSeconds: STALE });
    await expect(ask()).resolves.toMatchObject({ active: false });
  });

  it('is not used if a recheck came shortly before its introspection', async () => {
    rechecks.require({ sub: 'alice' });
    clock.advance(4);
    await outage();
    clock.advance(TTL);
    await expect(ask()).rejects.toBe(failure);
  });

  it('is not used for an offline session whose online session has ended', async () => {
    await outage();
    clock.advance(TTL);
    isReported = false;
    await expect(ask()).rejects.toBe(failure);
  });

  it('is not used by default', async () => {
    cache = new CachedIntrospection(
      {
        introspect: async () => {
          if (failure !== undefined) throw failure;
          return { active: true, exp: clock.date + 100 };
        },
        renew: () => Promise.reject(failed('timeout')),
      },
      OPTIONS,
      clock,
      () => undefined,
    );
    await outage();
    clock.advance(TTL);
    await expect(ask()).rejects.toBe(failure);
  });

  it('is not used after the expiry of the token (RS-03)', async () => {
    cache = cacheOf(600);
    await outage();
    clock.advance(99);
    await expect(ask()).resolves.toMatchObject({ active: true });
    clock.advance(1);
    await expect(ask()).rejects.toBe(failure);
  });

  it('is not used on a route that limits the age of the result', async () => {
    await outage();
    clock.advance(TTL);
    await expect(ask('a', 3600)).rejects.toBe(failure);
    await expect(ask('a', Infinity)).resolves.toMatchObject({ active: true });
  });

  it('is not used after a recheck', async () => {
    await outage();
    clock.advance(TTL);
    rechecks.require({ sub: 'alice' });
    await expect(ask()).rejects.toBe(failure);
  });

  it('is not used if an introspection has found the token inactive', async () => {
    await ask();
    clock.advance(TTL);
    active = false;
    await expect(ask()).resolves.toMatchObject({ active: false });
    failure = failed('timeout');
    clock.advance(5);
    await expect(ask()).rejects.toBe(failure);
  });

  it('counts from the end of a lost feed, within the time that the feed allows', async () => {
    proof.prove({ sinceMs: -Infinity, untilMs: clock.monotonicMs() });
    await outage();
    for (let second = 0; second < 20; second += 1) {
      clock.advance(1);
      proof.prove({ sinceMs: -Infinity, untilMs: clock.monotonicMs() });
    }
    clock.advance(TTL + STALE - 1);
    await expect(ask()).resolves.toMatchObject({ active: true });
    clock.advance(1);
    await expect(ask()).rejects.toBe(failure);
  });

  it('does not wait for the server in a known outage, and tries the server once a second', async () => {
    await knownOutage();
    const before = asked.length;
    for (let request = 0; request < 5; request += 1) {
      expect(cache.introspect('a', ANY_ANSWER, tokenHash('a'))).toMatchObject({ active: true });
      await new Promise(setImmediate);
    }
    expect(asked.length - before).toBe(1);
    clock.advance(1);
    await ask();
    expect(asked.length - before).toBe(2);
  });

  it('is replaced when the server answers again, and the log says when the outage began and ended', async () => {
    await knownOutage();
    expect(stale.status).toEqual({ maxSeconds: STALE, inUseSeconds: 0 });
    failure = undefined;
    clock.advance(2);
    await ask();
    await new Promise(setImmediate);
    expect(stale.status).toEqual({ maxSeconds: STALE });
    const before = asked.length;
    await ask();
    expect(asked.length).toBe(before);
    expect(lines).toEqual([
      expect.stringContaining('Keycloak does not answer'),
      expect.stringContaining('Keycloak answers again'),
    ]);
  });

  describe('with replicas that share their results', () => {
    let others: { readonly active: boolean; readonly ageMs: number } | undefined;
    let peeks: number;
    let puts: object[];

    beforeEach(() => {
      [others, peeks, puts] = [undefined, 0, []];
      const read: SharedLevel['peek'] = async (_key, maxAgeMs, usable) => {
        if (others === undefined || others.ageMs > maxAgeMs) return undefined;
        const askedAtMs = clock.monotonicMs() - others.ageMs;
        const value = usable(JSON.stringify({ active: others.active, exp: clock.date + 100 }), askedAtMs);
        return value === undefined ? undefined : { value, askedAtMs };
      };
      shared = {
        find: read,
        peek: (...all: Parameters<typeof read>) => {
          peeks += 1;
          return read(...all);
        },
        put: (_key: string, entry: { readonly isFinal?: boolean }) => void (entry.isFinal && puts.push(entry)),
        release: () => undefined,
      } as unknown as SharedLevel;
      cache = cacheOf(STALE);
    });

    it('is replaced when another replica has found the token inactive (RS-12)', async () => {
      await knownOutage();
      others = { active: false, ageMs: 0 };
      clock.advance(1);
      await ask();
      await new Promise(setImmediate);
      await expect(ask()).resolves.toMatchObject({ active: false });
    });

    it.each(['the first request of the outage', 'a known outage'])(
      'is not used in %s if another replica has found the token inactive before the outage (RS-12)',
      async (when) => {
        await ask('b');
        await outage();
        clock.advance(TTL);
        if (when === 'a known outage') await ask('b');
        others = { active: false, ageMs: 9000 };
        await expect(Promise.all([ask(), ask()])).rejects.toBe(failure);
        await expect(ask()).rejects.toBe(failure);
      },
    );

    it('waits for the other replicas again after a pause, as in a second outage', async () => {
      await knownOutage();
      others = { active: false, ageMs: 4000 };
      clock.advance(4);
      await expect(ask()).rejects.toBe(failure);
    });

    it('uses a fresh result of another replica, and reports no expired result', async () => {
      await ask('b');
      await outage();
      clock.advance(TTL);
      await ask('b');
      const used = lines.length;
      others = { active: true, ageMs: 1000 };
      expect(stale.isKnownOutage(clock.monotonicMs())).toBe(true);
      await expect(ask()).resolves.toMatchObject({ active: true });
      expect(lines).toHaveLength(used);
    });

    it('shares what a trial of the server has found', async () => {
      await knownOutage();
      [failure, active] = [undefined, false];
      clock.advance(1);
      await ask();
      await new Promise(setImmediate);
      expect(puts).toEqual([
        expect.objectContaining({ text: expect.stringContaining('"active":false'), isFinal: true }),
      ]);
    });

    it.each<[string, number, number]>([
      ['by a slow call', 2.5, ANY_ANSWER],
      ['for a route that accepts no cached result', 0, 0],
    ])('cannot be used by another replica after the token was found inactive %s (RS-12)', async (_how, lasts, age) => {
      [active, delay] = [false, () => clock.advance(lasts)];
      await ask('a', age);
      expect(puts).toEqual([expect.objectContaining({ isFinal: true, servesMs: (TTL - lasts) * 1000 })]);
    });

    it('waits for the other replicas once', async () => {
      await knownOutage();
      expect(peeks).toBe(1);
      expect(cache.introspect('a', ANY_ANSWER, tokenHash('a'))).toMatchObject({ active: true });
      clock.advance(1);
      expect(cache.introspect('a', ANY_ANSWER, tokenHash('a'))).toMatchObject({ active: true });
      expect(peeks).toBe(2);
    });
  });

  it('writes two lines if the server fails now and then', () => {
    for (let times = 0; times < 30; times += 1) {
      stale.failed(failed('timeout'), clock.monotonicMs());
      stale.used(clock.monotonicMs());
      clock.advance(0.1);
      stale.end();
    }
    expect(lines).toHaveLength(2);
  });

  it('writes a line for a long outage that follows a short outage', () => {
    const use = (): void => {
      stale.failed(failed('timeout'), clock.monotonicMs());
      stale.used(clock.monotonicMs());
    };
    use();
    stale.end();
    clock.advance(1);
    for (let second = 0; second < 20; second += 1) {
      use();
      clock.advance(1);
    }
    expect(lines).toHaveLength(3);
    expect(lines.at(-1)).toContain('Keycloak does not answer');
  });
});
