import { beforeEach, describe, expect, it } from '@jest/globals';
import { SessionRechecks } from './session-rechecks.js';

let nowMs: number;
let rechecks: SessionRechecks;
beforeEach(() => {
  nowMs = 1_000_000;
  rechecks = new SessionRechecks(() => nowMs);
});

function askedOver(ms: number, each: () => void = () => undefined): number[] {
  const asked: number[] = [];
  let askedAtMs = nowMs - 1;
  for (const endMs = nowMs + ms; nowMs < endMs; nowMs += 100) {
    each();
    if (!rechecks.areDueSince(askedAtMs)) continue;
    asked.push(nowMs);
    askedAtMs = nowMs + 1;
  }
  return asked;
}

describe('SessionRechecks', () => {
  it('are not due until a recheck is required', () => {
    expect(rechecks.areDueSince(0)).toBe(false);
    expect(askedOver(60_000)).toEqual([]);
  });

  it('are due immediately, and again ten seconds later (BF-09)', () => {
    rechecks.require();
    expect(askedOver(60_000)).toEqual([1_000_000, 1_010_000]);
  });

  it('do not apply to a session that began after the recheck was required (BF-09)', () => {
    rechecks.require();
    expect(rechecks.areDueSince(nowMs + 1)).toBe(false);
    expect(rechecks.areDueSince(nowMs)).toBe(true);
    expect(rechecks.areDueSince(nowMs - 1)).toBe(true);
  });

  it('are due at most once in ten seconds, even if required constantly (BF-09)', () => {
    const asked = askedOver(600_000, () => rechecks.require());
    expect(asked.length).toBeGreaterThanOrEqual(59);
    expect(asked.length).toBeLessThanOrEqual(61);
    const gaps = asked.slice(1).map((at, index) => at - (asked[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(10_000);
  });

  it('are due once more at least ten seconds after a second call of require() (BF-09)', () => {
    for (const laterMs of [1, 4999, 9999, 10_000, 10_001, 15_000, 19_999, 20_000, 25_000]) {
      rechecks = new SessionRechecks(() => nowMs);
      rechecks.require();
      nowMs += laterMs;
      const requiredMs = nowMs;
      rechecks.require();
      // A recheck shortly after `requiredMs` may come before Keycloak has ended the session.
      nowMs += 20_000;
      expect([laterMs, rechecks.areDueSince(requiredMs), rechecks.areDueSince(requiredMs + 9_999)]).toEqual([
        laterMs,
        true,
        true,
      ]);
      expect([laterMs, rechecks.areDueSince(nowMs)]).toEqual([laterMs, false]);
    }
  });

  it("are due exactly twice after the store's clock goes back (BF-09)", () => {
    rechecks.require();
    nowMs -= 3_600_000;
    expect(askedOver(60_000)).toEqual([nowMs - 60_000, nowMs - 50_000]);
    rechecks.require();
    nowMs += 100_000;
    rechecks.require();
    nowMs -= 3_600_000;
    rechecks.require();
    expect(askedOver(60_000)).toHaveLength(2);
  });
});
