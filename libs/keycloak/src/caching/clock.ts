/** Clock: the two times there are, injected wherever one is read. awakeClock(): counts the time, too, in which the machine slept or was held. */

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
 * On Linux the monotonic clock stands still while a machine sleeps, and with it whatever is counted by it: what was known before would serve on as if nothing had happened. The date tells afterwards. One
 * that is put forward looks alike, and makes what is kept older than it is; one that is set back makes nothing younger. So this is for what may end early, such as an answer, and not for what must be held.
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
