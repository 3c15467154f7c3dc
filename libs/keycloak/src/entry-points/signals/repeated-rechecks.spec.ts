import { beforeEach, describe, expect, it } from '@jest/globals';
import { RepeatedRechecks, type Schedule } from './repeated-rechecks.js';

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
    () => 0,
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
  it('rechecks the tokens immediately, and again after ten seconds (RS-14)', () => {
    rechecks.require();
    expect(made).toEqual([0]);
    advance(100_000);
    expect([made, due]).toEqual([[0, 10_000], undefined]);
    rechecks.require();
    expect(made).toEqual([0, 10_000, 100_000]);
  });

  it('rechecks the tokens at most once in ten seconds, however many notices arrive (RS-14)', () => {
    for (let ms = 0; ms < 60_000; ms += 100) {
      rechecks.require();
      advance(100);
    }
    advance(100_000);
    // The last notice arrives at 59.9 s, so the last recheck must be at least ten seconds later.
    expect(made).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 70_000]);
  });

  it('rechecks the tokens again after a pause in which a notice arrives', () => {
    rechecks.require();
    advance(15_000);
    rechecks.require();
    advance(100_000);
    expect(made).toEqual([0, 10_000, 20_000, 30_000]);
  });

  it('adds a random wait of less than a second to the pause', () => {
    const waits: number[] = [];
    const schedule: Schedule = (ms, action) => {
      waits.push(ms);
      if (waits.length === 1) action();
      return () => undefined;
    };
    new RepeatedRechecks(
      () => undefined,
      schedule,
      () => 0.25,
    ).require();
    expect(waits).toEqual([10_000, 250]);
  });

  it('stops the rechecks when the application shuts down', () => {
    rechecks.require();
    rechecks.stop();
    advance(100_000);
    expect(made).toEqual([0]);
  });

  it('rechecks no tokens for ten seconds after another replica has rechecked the tokens', () => {
    rechecks.made();
    advance(4000);
    rechecks.require();
    rechecks.made();
    expect(made).toEqual([]);
    advance(100_000);
    expect([made, due]).toEqual([[10_000, 20_000], undefined]);
  });
});

describe('RepeatedRechecks of three replicas that share a channel', () => {
  it('together recheck the tokens at most once in ten seconds, however many notices arrive (RS-14)', () => {
    const timers = new Set<{ readonly atMs: number; readonly action: () => void }>();
    const schedule: Schedule = (ms, action) => {
      const timer = { atMs: nowMs + ms, action };
      timers.add(timer);
      return () => void timers.delete(timer);
    };
    const UNDER_WAY_MS = 20;
    const receive = (): void => void schedule(UNDER_WAY_MS, () => replicas.forEach((replica) => replica.made()));
    const recheck = (): void => {
      made.push(nowMs);
      receive();
    };
    let shares = 0;
    const share = (): number => (shares += 0.37) % 1;
    const replicas = [1, 2, 3].map(() => new RepeatedRechecks(recheck, schedule, share));
    for (; nowMs < 100_000; nowMs += 10) {
      if (nowMs % 100 === 0 && nowMs < 60_000) replicas[(nowMs / 100) % 3]?.require();
      for (const timer of timers) {
        if (timer.atMs > nowMs) continue;
        timers.delete(timer);
        timer.action();
      }
    }
    const pauses = made.slice(1).map((ms, at) => ms - (made[at] ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(10_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(11_100);
    expect(made.at(-1)).toBeGreaterThanOrEqual(69_900);
  });
});
