import { beforeEach, describe, expect, it } from '@jest/globals';
import { SessionDoubts } from './session-doubts.js';

let nowMs: number;
let doubts: SessionDoubts;
beforeEach(() => {
  nowMs = 1_000_000;
  doubts = new SessionDoubts(() => nowMs);
});

/** Uses one session each 100 ms, and asks whenever it is doubted; gives when. */
function askedOver(ms: number, each: () => void = () => undefined): number[] {
  const asked: number[] = [];
  let askedAtMs = nowMs - 1;
  for (const endMs = nowMs + ms; nowMs < endMs; nowMs += 100) {
    each();
    if (!doubts.concern(askedAtMs)) continue;
    asked.push(nowMs);
    askedAtMs = nowMs + 1;
  }
  return asked;
}

describe('SessionDoubts', () => {
  it('are none until one is raised', () => {
    expect(doubts.concern(0)).toBe(false);
    expect(askedOver(60_000)).toEqual([]);
  });

  it('concern a session at once, and once more when the logout is through (BF-09)', () => {
    doubts.raise();
    expect(askedOver(60_000)).toEqual([1_000_000, 1_010_000]);
  });

  it('concern no session that began later (BF-09)', () => {
    doubts.raise();
    expect(doubts.concern(nowMs + 1)).toBe(false);
    expect(doubts.concern(nowMs)).toBe(true);
    expect(doubts.concern(nowMs - 1)).toBe(true);
  });

  it('that anybody raises all the time have a session asked about once in ten seconds (BF-09)', () => {
    const asked = askedOver(600_000, () => doubts.raise());
    expect(asked.length).toBeGreaterThanOrEqual(59);
    expect(asked.length).toBeLessThanOrEqual(61);
    const gaps = asked.slice(1).map((at, index) => at - (asked[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(10_000);
  });

  it('are forgotten by no doubt that came shortly before: ten seconds later the session is asked about (BF-09)', () => {
    for (const laterMs of [1, 4999, 9999, 10_000, 10_001, 15_000, 19_999, 20_000, 25_000]) {
      doubts = new SessionDoubts(() => nowMs);
      doubts.raise();
      nowMs += laterMs;
      const raisedMs = nowMs;
      doubts.raise();
      // Asked just before, and just after: both may have been too early.
      nowMs += 20_000;
      expect([laterMs, doubts.concern(raisedMs), doubts.concern(raisedMs + 9_999)]).toEqual([laterMs, true, true]);
      expect([laterMs, doubts.concern(nowMs)]).toEqual([laterMs, false]);
    }
  });
});
