/** Clock: the two times there are, injected wherever one is read. */

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
