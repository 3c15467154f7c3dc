import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RepeatedLines, type UnwrittenLines } from './repeated-lines.js';

const WINDOW_MS = 10_000;

let lines: RepeatedLines;
let counts: (UnwrittenLines & { readonly kind: string })[];
beforeEach(() => {
  jest.useFakeTimers();
  [lines, counts] = [new RepeatedLines(), []];
});
afterEach(() => {
  jest.useRealTimers();
});

function written(times: number, kind = 'a'): number {
  const admitted = Array.from({ length: times }, () =>
    lines.admits(kind, (unwritten) => void counts.push({ kind, ...unwritten })),
  );
  return admitted.filter(Boolean).length;
}

describe('RepeatedLines', () => {
  it('writes 20 of 10,000 equal lines, and later a summary with the count (OP-05)', () => {
    expect([written(10_000), counts]).toEqual([20, []]);
    jest.advanceTimersByTime(WINDOW_MS - 1);
    expect(counts).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(counts).toEqual([{ kind: 'a', count: 9980, seconds: 10 }]);
  });

  it('writes no summary for only 20 equal lines', () => {
    expect(written(20)).toBe(20);
    jest.advanceTimersByTime(WINDOW_MS);
    expect(counts).toEqual([]);
    expect(written(20)).toBe(20);
  });

  it('writes only summaries during a flood of equal lines, and each line after the flood', () => {
    written(10_000);
    jest.advanceTimersByTime(WINDOW_MS);
    expect(written(21)).toBe(0);
    jest.advanceTimersByTime(WINDOW_MS);
    expect(written(5)).toBe(0);
    jest.advanceTimersByTime(WINDOW_MS);
    expect(written(5)).toBe(5);
    expect(counts.map(({ count }) => count)).toEqual([9980, 21, 5]);
  });

  it('counts each kind of line separately', () => {
    expect([written(30, 'a'), written(25, 'b')]).toEqual([20, 20]);
    jest.advanceTimersByTime(WINDOW_MS);
    expect(counts.map(({ kind, count }) => [kind, count])).toEqual([
      ['a', 10],
      ['b', 5],
    ]);
  });

  it('writes a pending summary once at the shutdown', () => {
    written(50);
    lines.end();
    expect(counts).toEqual([{ kind: 'a', count: 30, seconds: 10 }]);
    jest.advanceTimersByTime(WINDOW_MS);
    expect([counts.length, jest.getTimerCount()]).toEqual([1, 0]);
  });

  it('counts 2000 kinds of lines separately, and all further kinds together (OP-05)', () => {
    for (let kind = 0; kind < 2000; kind += 1) written(1, `first ${kind}`);
    jest.advanceTimersByTime(WINDOW_MS - 1);
    for (let kind = 0; kind < 2500; kind += 1) written(1, String(kind));
    expect(jest.getTimerCount()).toBe(2001);
    lines.end();
    expect(counts.filter(({ isMixed }) => isMixed)).toEqual([
      { kind: '2499', count: 2500, seconds: 10, isMixed: true },
    ]);
  });

  it('writes at most 1000 lines in ten seconds for all kinds together (OP-05)', () => {
    const count = (): number => {
      let total = 0;
      for (let time = 0; time < 50; time += 1) {
        for (let kind = 0; kind < 2001; kind += 1) total += written(1, String(kind));
      }
      return total;
    };
    expect(count()).toBe(1000);
    jest.advanceTimersByTime(WINDOW_MS);
    expect(counts).toHaveLength(2001);
    expect(counts.reduce((sum, { count: unwritten }) => sum + unwritten, 1000)).toBe(50 * 2001);
    jest.advanceTimersByTime(WINDOW_MS);
    expect(count()).toBe(1000);
  });

  it('keeps no timer for a kind of line that no longer occurs', () => {
    written(21);
    jest.advanceTimersByTime(2 * WINDOW_MS);
    expect(jest.getTimerCount()).toBe(0);
  });
});
