import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ServerClock } from './server-clock.js';

const HOUR_MS = 3_600_000;
const START_MS = 1_800_000_000_000;

let passedMs: number;
let clock: ServerClock;

beforeEach(() => {
  passedMs = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => passedMs);
  jest.spyOn(Date, 'now').mockImplementation(() => START_MS + passedMs);
  clock = new ServerClock();
});
afterEach(() => void jest.restoreAllMocks());

const learn = (aheadMs: number): void => clock.learn(START_MS + passedMs + aheadMs);
const ageOfNews = (): number => clock.latestMs() - clock.nowMs();

describe('ServerClock', () => {
  it("does not underestimate the age of an entry after the server's clock was set back", () => {
    learn(HOUR_MS);
    const notedMs = clock.nowMs();
    learn(0);
    for (; passedMs < 1.9 * HOUR_MS; passedMs += 60_000) {
      learn(0);
      expect(clock.latestMs() - notedMs).toBeGreaterThan(passedMs * 0.99 - 1);
    }
    expect(clock.behindMs).toBeGreaterThan(0.99 * HOUR_MS);
  });

  it('uses a corrected server clock again when all earlier entries have expired', () => {
    learn(HOUR_MS);
    passedMs += 60_000;
    learn(0);
    expect(ageOfNews()).toBeGreaterThan(HOUR_MS - 1000);
    passedMs += 2 * HOUR_MS;
    learn(0);
    expect([ageOfNews(), clock.behindMs]).toEqual([0, 0]);
  });

  it("uses the server's clock again after the clock was set back twice", () => {
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

  it('forgets the delay of a late answer when the next answer arrives', () => {
    learn(0);
    learn(-3000);
    expect([clock.behindMs, clock.latestMs() - START_MS]).toEqual([3000, 0]);
    learn(0);
    expect(ageOfNews()).toBe(0);
  });

  it('ignores an invalid time in an answer of the server', () => {
    learn(Number.NaN);
    expect(clock.isLearned).toBe(false);
  });
});
