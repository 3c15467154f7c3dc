export interface Clock {
  epochSeconds(): number;
  /** The time of a clock that never goes back, even if the machine's date is changed. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  epochSeconds: () => Date.now() / 1000,
  monotonicMs: () => performance.now(),
};

/** Between two reads, a larger gain of the wall clock on the monotonic clock is a sleep, not time synchronisation. */
const MAX_GAIN_MS = 1000;

/**
 * Returns a clock that also counts the time in which the machine sleeps. On Linux the monotonic clock stops during a
 * sleep, so entries from before the sleep would look fresh. A date that is set forward makes entries look older, so use
 * this clock only for entries that may expire early.
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
