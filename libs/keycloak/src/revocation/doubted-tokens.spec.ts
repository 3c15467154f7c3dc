import { describe, expect, it } from '@jest/globals';
import { StillClock } from '../../spec-support/still-clock.js';
import { tokenHash } from '../protocol/token-hash.js';
import { DoubtedTokens } from './doubted-tokens.js';
import type { IssuerRecheck } from './rechecks.js';

const OPTIONS = { revocationRetentionSeconds: 36_000, clockToleranceSeconds: 5, introspectionTtlSeconds: 10 };
const HASH = tokenHash('any');

function doubtsAt(options = OPTIONS) {
  const clock = new StillClock();
  const doubts = new DoubtedTokens(options, clock);
  const token = (claims: object, issuedAgo = 60) => ({ iat: clock.date - issuedAgo, ...claims });
  return { clock, doubts, token };
}

describe('DoubtedTokens', () => {
  const [ALICE, BOB, NOBODY] = [
    { sid: 's1', sub: 'alice', azp: 'shop' },
    { sid: 's2', sub: 'bob', client_id: 'desk' },
    {},
  ];

  it.each<[string, IssuerRecheck, readonly boolean[]]>([
    ['a session', { sid: 's1' }, [true, false, false]],
    ['a subject', { sub: 'bob' }, [false, true, false]],
    ['the client in azp', { clientId: 'shop' }, [true, false, false]],
    ['the client in client_id, without azp', { clientId: 'desk' }, [false, true, false]],
    ['everything', 'everything', [true, true, true]],
  ])('include only matching tokens issued before the recheck: %s (RS-13)', (_, recheck, included) => {
    const { clock, doubts, token } = doubtsAt();
    expect([ALICE, BOB, NOBODY].map((claims) => doubts.include(token(claims), HASH))).toEqual([false, false, false]);
    doubts.add(recheck, clock.date);
    expect([ALICE, BOB, NOBODY].map((claims) => doubts.include(token(claims), HASH))).toEqual(included);
    expect([4, 5].map((later) => doubts.include(token(ALICE, -later), HASH))).toEqual([included[0], false]);
    expect(doubts.include({ ...ALICE, iat: undefined }, HASH)).toBe(included[0]);
  });

  it('keep a recheck until the affected tokens have expired, even after other rechecks', () => {
    const { clock, doubts, token } = doubtsAt();
    const old = token(ALICE);
    doubts.add({ sid: 's1' }, clock.date);
    clock.advance(35_000);
    doubts.add({ sid: 's1' }, clock.date - 40_000);
    doubts.add({ sid: 's3' }, clock.date);
    expect(doubts.include(old, HASH)).toBe(true);
    clock.advance(1001);
    doubts.add({ sid: 's4' }, clock.date);
    expect(doubts.size).toBe(2);
  });

  it('ignore a recheck that is older than every token that can still be valid', () => {
    const { clock, doubts, token } = doubtsAt();
    doubts.add('everything', clock.date - 36_000);
    doubts.add({ sid: 's1' }, clock.date - 36_001);
    expect(doubts.include(token(ALICE, 40_000), HASH)).toBe(false);
    expect(doubts.size).toBe(0);
  });

  it('include tokens issued before the creation of a recheck, not before its arrival', () => {
    const { clock, doubts, token } = doubtsAt();
    doubts.add({ sid: 's1' }, clock.date - 600);
    expect(doubts.include(token(ALICE, 594), HASH)).toBe(false);
    expect(doubts.include(token(ALICE, 600), HASH)).toBe(true);
  });

  it('include every token that was issued before the oldest recheck, after a full list dropped this recheck', () => {
    const { clock, doubts, token } = doubtsAt();
    const first = clock.date;
    for (let at = 0; at < 10_000; at += 1) doubts.add({ sid: `many ${at}` }, clock.date);
    expect(doubts.include({ ...BOB, iat: first - 1 }, HASH)).toBe(false);
    clock.advance(60);
    doubts.add({ sid: 'one more' }, clock.date);
    expect(doubts.size).toBe(10_000);
    expect(doubts.include({ ...BOB, iat: first - 1 }, HASH)).toBe(true);
    expect(doubts.include({ sid: 'many 0', iat: first - 1 }, HASH)).toBe(true);
    expect(doubts.include(token(BOB, 10), HASH)).toBe(false);
    expect(doubts.include(token({ sid: 'one more' }, 10), HASH)).toBe(true);
  });

  describe('after a possible gap in the received revocations', () => {
    const hashes = Array.from({ length: 1000 }, (_, at) => tokenHash(`token ${at}`));

    it('include one more tenth of the older tokens each second for ten seconds', () => {
      const { clock, doubts, token } = doubtsAt();
      const old = token(ALICE);
      doubts.doubtAll();
      const due = () => hashes.filter((hash) => doubts.include(old, hash)).length;
      const counts = [due()];
      for (let seconds = 1; seconds <= 10; seconds += 1) {
        clock.advance(1);
        counts.push(due());
      }
      expect(counts[0]).toBe(0);
      expect(counts[10]).toBe(1000);
      for (let second = 1; second <= 10; second += 1) {
        const more = (counts[second] ?? 0) - (counts[second - 1] ?? 0);
        expect(more).toBeGreaterThan(60);
        expect(more).toBeLessThan(140);
      }
      expect(hashes.some((hash) => doubts.include(token(ALICE, 2), hash))).toBe(false);
    });

    it('include the tokens from before the first gap without a new delay if a second gap follows', () => {
      const { clock, doubts, token } = doubtsAt();
      const old = token(ALICE);
      for (let times = 0; times < 20; times += 1) {
        doubts.doubtAll();
        clock.advance(1);
      }
      expect(hashes.every((hash) => doubts.include(old, hash))).toBe(true);
      clock.advance(20);
      doubts.doubtAll();
      expect(hashes.every((hash) => doubts.include(old, hash))).toBe(true);
      expect(hashes.some((hash) => doubts.include(token(ALICE, 2), hash))).toBe(false);
    });

    it('include the older tokens one by one within ten seconds if a recheck of all tokens arrives late', () => {
      const { clock, doubts, token } = doubtsAt();
      const old = token(ALICE, 700);
      doubts.add('everything', clock.date - 600);
      expect(hashes.filter((hash) => doubts.include(old, hash))).toEqual([]);
      clock.advance(10);
      expect(hashes.every((hash) => doubts.include(old, hash))).toBe(true);
      expect(hashes.some((hash) => doubts.include(token(ALICE, 590), hash))).toBe(false);
    });

    it('include only tokens issued before the gap ended', () => {
      const { clock, doubts, token } = doubtsAt({ ...OPTIONS, introspectionTtlSeconds: 0 });
      doubts.doubtAll(clock.monotonicMs() - 100_000);
      expect([106, 104, 90].map((issuedAgo) => doubts.include(token(ALICE, issuedAgo), HASH))).toEqual([
        true,
        true,
        false,
      ]);
      doubts.doubtAll(clock.monotonicMs() - 36_000_000);
      expect(doubts.include(token(ALICE, 90), HASH)).toBe(false);
    });

    it('include all older tokens immediately if introspectionTtlSeconds is 0', () => {
      const { doubts, token } = doubtsAt({ ...OPTIONS, introspectionTtlSeconds: 0 });
      const old = token(ALICE);
      doubts.doubtAll();
      expect(hashes.every((hash) => doubts.include(old, hash))).toBe(true);
    });
  });
});
