/** Clock: the injected wall clock and monotonic clock. */

export interface Clock {
  /** Seconds since the epoch, to compare with claims such as `exp`. */
  epochSeconds(): number;
  /** For deadlines: milliseconds that never decrease, even if the machine's date is changed. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  epochSeconds: () => Date.now() / 1000,
  monotonicMs: () => performance.now(),
};

/** Between two reads, time synchronisation may move the wall clock this far ahead of the monotonic clock. */
const MAX_GAIN_MS = 1000;

/**
 * A clock that also counts the time during which the machine slept.
 *
 * On Linux the monotonic clock stops meanwhile, so entries from before the sleep would look fresh. This clock detects
 * the sleep from the wall clock. A date that is set forward makes entries older than they are; a date that is set back
 * makes none younger. So use it for entries that may expire early, not for entries that must be held.
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
