import { beforeEach, describe, expect, it } from '@jest/globals';
import { RepeatedRechecks } from './repeated-rechecks.js';

let nowMs: number;
let made: number[];
let due: { readonly atMs: number; readonly action: () => void } | undefined;
let rechecks: RepeatedRechecks;

beforeEach(() => {
  nowMs = 0;
  made = [];
  due = undefined;
  rechecks = new RepeatedRechecks(
    () => made.push(nowMs),
    (ms, action) => {
      due = { atMs: nowMs + ms, action };
      return () => (due = undefined);
    },
  );
});

function advance(ms: number): void {
  const end = nowMs + ms;
  while (due !== undefined && due.atMs <= end) {
    const { atMs, action } = due;
    due = undefined;
    nowMs = atMs;
    action();
  }
  nowMs = end;
}

describe('RepeatedRechecks', () => {
  it('are made at once, and once more when the logout must be complete (RS-14)', () => {
    rechecks.require();
    expect(made).toEqual([0]);
    advance(100_000);
    expect([made, due]).toEqual([[0, 10_000], undefined]);
    rechecks.require();
    expect(made).toEqual([0, 10_000, 100_000]);
  });

  it('are made once in ten seconds at most, however many notices come (RS-14)', () => {
    for (let ms = 0; ms < 60_000; ms += 100) {
      rechecks.require();
      advance(100);
    }
    advance(100_000);
    // The last notice came at 59.9 s, and one recheck is at least ten seconds later.
    expect(made).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 70_000]);
  });

  it('are made soon after a row of them, too', () => {
    rechecks.require();
    advance(15_000);
    rechecks.require();
    advance(100_000);
    expect(made).toEqual([0, 10_000, 20_000, 30_000]);
  });

  it('are made no more when the application ends', () => {
    rechecks.require();
    rechecks.stop();
    advance(100_000);
    expect(made).toEqual([0]);
  });
});
