import { beforeEach, describe, expect, it } from '@jest/globals';
import { StillClock } from '../../spec-support/still-clock.js';
import { tokenHash } from '../protocol/token-hash.js';
import { Rechecks } from '../revocation/rechecks.js';
import { SignalProof, type ReceivedPeriod } from '../revocation/signal-proof.js';
import { CachedIntrospection } from './cached-introspection.js';

const [SHORT, LONG] = [10, 300];
const OPTIONS = {
  issuer: 'https://sso.example.com/realms/shop',
  introspectionTtlSeconds: SHORT,
  introspectionTtlWithEventsSeconds: LONG,
  maxCachedIntrospections: 100,
};

let clock: StillClock;
let proof: SignalProof;
let rechecks: Rechecks;
let cache: CachedIntrospection;
let asked: string[];
let answer: Readonly<Record<string, unknown>>;

beforeEach(() => {
  clock = new StillClock();
  proof = new SignalProof(clock);
  rechecks = new Rechecks(LONG * 1000, clock);
  asked = [];
  answer = { active: true, sub: 'alice', sid: 's1', exp: clock.date + 3600 };
  const introspect = async (token: string): Promise<Readonly<Record<string, unknown>>> => {
    asked.push(token);
    return answer;
  };
  cache = new CachedIntrospection(
    { introspect, renew: introspect },
    OPTIONS,
    clock,
    () => undefined,
    rechecks,
    undefined,
    { healthyUntilMs: (askedAtMs) => proof.healthyUntilMs(askedAtMs), tellsOf: ({ sid }) => sid !== 'unreported' },
  );
});

const until = (untilMs: number): ReceivedPeriod => ({ sinceMs: -Infinity, untilMs });

async function isAsked(token = 'a', staleness = Infinity): Promise<boolean> {
  const before = asked.length;
  await cache.introspect(token, staleness, tokenHash(token));
  return asked.length > before;
}

function advance(seconds: number, isHealthy = true): void {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1);
    if (isHealthy) proof.prove(until(clock.monotonicMs()));
  }
}

describe('a cached introspection result', () => {
  it('expires after the short TTL without a healthy revocation feed', async () => {
    await isAsked();
    clock.advance(SHORT - 0.5);
    expect(await isAsked()).toBe(false);
    clock.advance(1);
    expect(await isAsked()).toBe(true);
  });

  it('expires after the long TTL while the revocation feed is healthy (RS-13)', async () => {
    proof.prove(until(clock.monotonicMs()));
    await isAsked();
    advance(LONG - 15);
    expect(await isAsked()).toBe(false);
    advance(15);
    expect(await isAsked()).toBe(true);
    expect(asked).toHaveLength(2);
  });

  it("expires after the short TTL if the healthy feed does not report on the token's session (RS-13)", async () => {
    proof.prove(until(clock.monotonicMs()));
    answer = { ...answer, sid: 'unreported' };
    await isAsked();
    advance(SHORT - 1);
    expect(await isAsked()).toBe(false);
    advance(1);
    expect(await isAsked()).toBe(true);
  });

  it('expires when the short TTL has passed since the last proof of a healthy feed', async () => {
    proof.prove(until(clock.monotonicMs()));
    await isAsked();
    advance(60);
    advance(SHORT - 1, false);
    expect(await isAsked('b')).toBe(true);
    clock.advance(1);
    expect(await isAsked()).toBe(true);
  });

  it('does not expire if no proof arrives for three seconds', async () => {
    proof.prove(until(clock.monotonicMs()));
    await isAsked();
    for (let times = 0; times < 20; times += 1) {
      advance(7);
      advance(3, false);
      expect(await isAsked()).toBe(false);
    }
  });

  it('is renewed in the background at a different time for each token if the proofs stop', async () => {
    proof.prove(until(clock.monotonicMs()));
    await isAsked();
    const tokens = Array.from({ length: 50 }, (_, at) => `t${at}`);
    for (const token of tokens) await isAsked(token);
    advance(60);
    advance(7, false);
    const renewed = async (): Promise<number> => {
      const before = asked.length;
      for (const token of tokens) await cache.introspect(token, Infinity, tokenHash(token));
      await new Promise(setImmediate);
      return asked.length - before;
    };
    const counts = [await renewed()];
    for (const seconds of [0.5, 0.5, 0.5, 0.5, 0.5, 0.4]) {
      clock.advance(seconds);
      counts.push(await renewed());
    }
    expect(counts[0]).toBe(0);
    expect(counts.reduce((sum, count) => sum + count)).toBe(50);
    expect(Math.max(...counts)).toBeLessThan(35);
  });

  it('expires after the short TTL if it was requested before the first proof or before a gap', async () => {
    await isAsked();
    clock.advance(1);
    proof.prove(until(clock.monotonicMs()));
    advance(SHORT - 2);
    expect(await isAsked()).toBe(false);
    advance(1);
    expect(await isAsked()).toBe(true);
    advance(30);
    expect(await isAsked()).toBe(false);
    proof.interrupt();
    proof.prove(until(clock.monotonicMs()));
    advance(SHORT - 1);
    expect(await isAsked('other')).toBe(true);
    clock.advance(1.5);
    expect(await isAsked()).toBe(true);
    advance(60);
    expect(await isAsked()).toBe(false);
  });

  it('is dropped by a recheck, and the next result expires after the short TTL', async () => {
    proof.prove(until(clock.monotonicMs()));
    await isAsked();
    advance(60);
    rechecks.require({ sub: 'alice' });
    clock.advance(0.5);
    expect(await isAsked()).toBe(true);
    advance(SHORT - 1);
    expect(await isAsked()).toBe(false);
    advance(1);
    expect(await isAsked()).toBe(true);
    advance(60);
    expect(await isAsked()).toBe(false);
  });

  it('is not dropped by a recheck of another user or session', async () => {
    proof.prove(until(clock.monotonicMs()));
    await isAsked();
    advance(60);
    rechecks.require({ sub: 'bob' });
    rechecks.require({ sid: 's2' });
    advance(60);
    expect(await isAsked()).toBe(false);
  });

  it('is never older than the route allows', async () => {
    proof.prove(until(clock.monotonicMs()));
    await isAsked();
    advance(30);
    expect(await isAsked('a', 60)).toBe(false);
    expect(await isAsked('a', 30)).toBe(true);
    advance(3);
    expect(await isAsked('a', 2)).toBe(true);
    expect(await isAsked('a', 0)).toBe(true);
    advance(59);
    expect(await isAsked('a', 60)).toBe(false);
    advance(1);
    expect(await isAsked('a', 60)).toBe(true);
  });

  it('expires after two seconds if the token is inactive', async () => {
    proof.prove(until(clock.monotonicMs()));
    answer = { active: false };
    await isAsked();
    advance(1);
    expect(await isAsked()).toBe(false);
    advance(1);
    expect(await isAsked()).toBe(true);
  });

  it('expires with its token', async () => {
    proof.prove(until(clock.monotonicMs()));
    answer = { ...answer, exp: clock.date + 45 };
    await isAsked();
    advance(44);
    expect(await isAsked()).toBe(false);
    advance(1);
    expect(await isAsked()).toBe(true);
  });
});

describe('SignalProof', () => {
  it('counts proofs only while the process receives the entries of other replicas', () => {
    let receivesOthers = false;
    const gated = new SignalProof(clock, () => receivesOthers);
    gated.prove(until(1000));
    expect([gated.healthyUntilMs(5000), gated.latestMs]).toEqual([-Infinity, -Infinity]);
    receivesOthers = true;
    gated.prove(until(2000));
    gated.prove(until(2500));
    expect([1999, 2000, 9000].map((askedAt) => gated.healthyUntilMs(askedAt))).toEqual([-Infinity, 2500, 2500]);
    expect(gated.latestMs).toBe(2500);
  });

  it('does not extend the TTL of results that were requested before the end of a gap', () => {
    let gaps = 0;
    proof.onGap(() => void (gaps += 1));
    const began = clock.monotonicMs();
    proof.prove(until(began - 2000));
    proof.prove(until(began));
    proof.interrupt();
    proof.interrupt();
    expect([gaps, proof.healthyUntilMs(began - 2000), proof.healthyUntilMs(began + 1)]).toEqual([2, began, began]);
    clock.advance(2);
    proof.prove(until(began + 2000));
    expect([1000, 1999, 2000].map((later) => proof.healthyUntilMs(began + later))).toEqual([
      began,
      began,
      began + 2000,
    ]);
  });
});

describe('the time between two proofs', () => {
  it('counts as a gap if the periods of the two proofs neither touch nor overlap', () => {
    let gaps = 0;
    proof.onGap(() => void (gaps += 1));
    proof.prove({ sinceMs: 500, untilMs: 1000 });
    proof.prove({ sinceMs: 1000, untilMs: 2000 });
    proof.prove({ sinceMs: 1500, untilMs: 3000 });
    expect(gaps).toBe(0);
    clock.advance(5);
    const nowMs = clock.monotonicMs();
    proof.prove({ sinceMs: 3001, untilMs: nowMs + 1 });
    expect([gaps, proof.healthyUntilMs(2000), proof.healthyUntilMs(nowMs + 2)]).toEqual([1, 3000, nowMs + 1]);
  });

  it('is not covered by an older proof that arrives later', () => {
    const nowMs = clock.monotonicMs();
    proof.prove({ sinceMs: nowMs - 1, untilMs: nowMs });
    proof.prove({ sinceMs: nowMs - 50, untilMs: nowMs - 10 });
    expect([nowMs - 8, nowMs].map((askedAt) => proof.healthyUntilMs(askedAt))).toEqual([-Infinity, nowMs]);
  });

  it('is not covered by a proof whose period ended before the gap was detected', () => {
    clock.advance(10);
    proof.interrupt();
    proof.prove(until(clock.monotonicMs() - 1));
    expect(proof.latestMs).toBe(-Infinity);
  });
});

describe('cached results (model)', () => {
  it('expire when the short TTL since the last proof or the long TTL since the introspection has passed', async () => {
    let seed = 20_261_127;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return seed % below;
    };
    const tokens = ['a', 'b', 'c'];
    const askedAt = new Map<string, number>();
    let [healthyUntil, coveredSince] = [-Infinity, Infinity];
    let [earlierUntil, earlierSince] = [-Infinity, Infinity];
    let gapAt = -Infinity;
    for (let step = 0; step < 5000; step += 1) {
      clock.advance(random(4) / 2);
      const now = clock.monotonicMs() / 1000;
      const what = random(20);
      if (what < 8 && random(100) > 30) {
        proof.prove(until(clock.monotonicMs()));
        if (now > gapAt) [healthyUntil, coveredSince] = [now, Math.min(coveredSince, now)];
      } else if (what === 19 && random(10) === 0) {
        proof.interrupt();
        gapAt = now;
        if (healthyUntil > -Infinity) [earlierUntil, earlierSince] = [healthyUntil, coveredSince];
        [healthyUntil, coveredSince] = [-Infinity, Infinity];
      } else if (what === 18) clock.advance(random(30));
      const at = clock.monotonicMs() / 1000;
      const token = tokens[random(3)] ?? 'a';
      answer = { ...answer, exp: clock.date + 3600 };
      const wasAsked = await isAsked(token);
      await new Promise(setImmediate);
      const before = askedAt.get(token) ?? -Infinity;
      const ofGap = before >= earlierSince ? earlierUntil : -Infinity;
      const fresh = at - Math.max(before, before >= coveredSince ? healthyUntil : ofGap);
      const mayServe = fresh < SHORT && at - before < LONG;
      expect(wasAsked || mayServe).toBe(true);
      if (wasAsked) askedAt.set(token, at);
    }
    expect(asked.length).toBeLessThan(2500);
  });
});
