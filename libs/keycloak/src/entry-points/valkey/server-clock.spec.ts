/** The time of the Valkey server: what is judged by it gets no younger, and a clock that was put right is believed again. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ServerClock } from './server-clock.js';

const HOUR_MS = 3_600_000;
const START_MS = 1_800_000_000_000;

/** By the monotonic clock; this machine's date agrees with the time that is right. */
let passedMs: number;
let clock: ServerClock;

beforeEach(() => {
  passedMs = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => passedMs);
  jest.spyOn(Date, 'now').mockImplementation(() => START_MS + passedMs);
  clock = new ServerClock();
});
afterEach(() => void jest.restoreAllMocks());

/** The server answers, whose clock is ahead by so much. */
const learn = (aheadMs: number): void => clock.learn(START_MS + passedMs + aheadMs);
/** How old it makes what is noted now. */
const ageOfNews = (): number => clock.latestMs() - clock.nowMs();

describe('the clock of a server', () => {
  it('that goes back makes nothing younger, however long that is ago', () => {
    learn(HOUR_MS);
    const notedMs = clock.nowMs();
    learn(0);
    for (; passedMs < 1.9 * HOUR_MS; passedMs += 60_000) {
      learn(0);
      expect(clock.latestMs() - notedMs).toBeGreaterThan(passedMs * 0.99 - 1);
    }
    expect(clock.behindMs).toBeGreaterThan(0.99 * HOUR_MS);
  });

  it('that was ahead and is put right is believed again, when all is over that was noted before', () => {
    learn(HOUR_MS);
    passedMs += 60_000;
    learn(0);
    expect(ageOfNews()).toBeGreaterThan(HOUR_MS - 1000);
    passedMs += 2 * HOUR_MS;
    learn(0);
    expect([ageOfNews(), clock.behindMs]).toEqual([0, 0]);
  });

  it('that goes back once more is believed again after that', () => {
    learn(2 * HOUR_MS);
    passedMs += 60_000;
    learn(HOUR_MS);
    passedMs += 1.9 * HOUR_MS;
    learn(0);
    passedMs += HOUR_MS;
    learn(0);
    expect(ageOfNews()).toBeGreaterThan(HOUR_MS);
    passedMs += 2 * HOUR_MS;
    learn(0);
    expect(ageOfNews()).toBe(0);
  });

  it('that answers late once is as it was with the next answer', () => {
    learn(0);
    learn(-3000);
    expect([clock.behindMs, clock.latestMs() - START_MS]).toEqual([3000, 0]);
    learn(0);
    expect(ageOfNews()).toBe(0);
  });

  it('that tells what is no time has told nothing', () => {
    learn(Number.NaN);
    expect(clock.isLearned).toBe(false);
  });
});
