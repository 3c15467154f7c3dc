/** A full list of denials, which is what a large realm always has: a further one costs about what it costs in a list that has room. */
import { describe, expect, it } from '@jest/globals';
import { StillClock } from '../../spec-support/still-clock.js';
import { HeldDenials } from './held-denials.js';

const MANY = 100_000;
const MEMORY_SECONDS = 1000;

/** The shorter of two runs, since other load on the machine can only make one longer. */
function shorterMs(run: () => number): number {
  return Math.min(run(), run());
}

/** How long it takes to deny as many again as are held; `secondsEach`: from one to the next. */
function denyingMs(maxRevocations: number, secondsEach = 0): number {
  const clock = new StillClock();
  const options = { maxRevocations, revocationMemorySeconds: MEMORY_SECONDS, clockToleranceSeconds: 5 };
  const held = new HeldDenials(options, clock, { warn: () => undefined });
  const deny = (from: number): void => {
    for (let at = from; at < from + MANY; at += 1) {
      clock.advance(secondsEach);
      held.deny({ sid: `s${at}` });
    }
  };
  deny(0);
  const startMs = performance.now();
  deny(MANY);
  return performance.now() - startMs;
}

describe('HeldDenials', () => {
  it('takes a further denial in no more time where one must go for it, or the time of one is over', () => {
    const withRoomMs = denyingMs(2 * MANY);
    expect(shorterMs(() => denyingMs(MANY)) / withRoomMs).toBeLessThan(6);
    expect(shorterMs(() => denyingMs(2 * MANY, MEMORY_SECONDS / MANY)) / withRoomMs).toBeLessThan(6);
  });
});
