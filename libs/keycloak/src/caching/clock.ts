export interface Clock {
  epochSeconds(): number;
  monotonicMs(): number;
}

export const systemClock: Clock = {
  epochSeconds: () => Date.now() / 1000,
  monotonicMs: () => performance.now(),
};

/**
 * The machine slept if the wall clock gained over a second on the monotonic clock, because clock synchronization causes
 * smaller gains.
 */
const MAX_GAIN_MS = 1000;

/**
 * Returns a clock that also counts the time in which the machine sleeps. On Linux the monotonic clock stops during a
 * sleep, so old entries would look fresh. If somebody sets the date forward, entries may expire early. Use this clock
 * only if early expiry is harmless.
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
