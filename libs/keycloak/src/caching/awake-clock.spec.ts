import { describe, expect, it } from '@jest/globals';
import { StillClock } from '../../spec-support/still-clock.js';
import { awakeClock } from './clock.js';

describe('the clock that awakeClock() returns', () => {
  const clock = new StillClock();
  const awake = awakeClock(clock);
  const passedSeconds = (work: () => void): number => {
    const beganMs = awake.monotonicMs();
    work();
    return (awake.monotonicMs() - beganMs) / 1000;
  };

  it('follows the monotonic clock while the machine is awake', () => {
    expect(passedSeconds(() => clock.advance(7))).toBe(7);
    expect(awake.epochSeconds()).toBe(clock.date);
  });

  it('includes the time in which the machine slept', () => {
    expect(passedSeconds(() => (clock.date += 3600))).toBe(3600);
    expect(passedSeconds(() => clock.advance(1))).toBe(1);
  });

  it('does not go back when the date is set back', () => {
    expect(passedSeconds(() => (clock.date -= 3600))).toBe(0);
    expect(passedSeconds(() => clock.advance(1))).toBe(1);
  });

  it('ignores small corrections of the date', () => {
    const slewed = (): void => {
      for (let step = 0; step < 10; step += 1) {
        clock.date += 0.5;
        awake.monotonicMs();
      }
    };
    expect(passedSeconds(slewed)).toBe(0);
  });
});
