/** The window for the renewal of a value, in fractions of the value's lifetime from 0 to 1. */
export interface RenewalWindow {
  readonly from: number;
  readonly to: number;
}

/** Returns a random time within the window, so that values are not all renewed at the same time. */
export function renewAfterMs(servesMs: number, { from, to }: RenewalWindow): number {
  return servesMs * (from + (to - from) * Math.random());
}
