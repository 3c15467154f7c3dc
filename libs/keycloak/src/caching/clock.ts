/** Clock: the date and the monotonic time, which are injected. awakeClock(): a clock that also counts while the machine sleeps. */

export interface Clock {
  /** Seconds since the epoch, as `exp` counts them: to judge claims. */
  epochSeconds(): number;
  /** Milliseconds that only grow, whatever is done to the machine's date: for deadlines. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  epochSeconds: () => Date.now() / 1000,
  monotonicMs: () => performance.now(),
};

/** By so much the date may gain on the monotonic clock from one look to the next: it is set right in small steps all the time. */
const MAX_GAIN_MS = 1000;

/**
 * On Linux the monotonic clock stands still while a machine sleeps. Answers from before the sleep would serve on as if no time had passed. The date
 * shows the sleep afterwards. A date that is put forward looks the same and makes entries older than they are. A date that is set back makes no entry
 * younger. So this clock is for entries that may end early, such as an answer, and not for entries that must be held.
 */
export function awakeClock(clock: Clock): Clock {
  const startMs = clock.monotonicMs();
  let aheadMs = clock.epochSeconds() * 1000 - startMs;
  let sleptMs = 0;
  return {
    epochSeconds: () => clock.epochSeconds(),
    monotonicMs: () => {
      const ms = clock.monotonicMs();
      const nowAheadMs = clock.epochSeconds() * 1000 - ms;
      if (nowAheadMs - aheadMs > MAX_GAIN_MS) sleptMs += nowAheadMs - aheadMs;
      aheadMs = nowAheadMs;
      return ms + sleptMs;
    },
  };
}
