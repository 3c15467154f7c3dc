/** Renewal: when a cached value is asked for anew in the background, while it still serves everybody. */

/** A part of the time for which a value serves, from 0 to 1. */
export interface RenewalWindow {
  readonly from: number;
  readonly to: number;
}

/** When to renew, from the beginning of that time: at random within the window, so that values do not all end at once. */
export function renewAfterMs(servesMs: number, { from, to }: RenewalWindow): number {
  return servesMs * (from + (to - from) * Math.random());
}
