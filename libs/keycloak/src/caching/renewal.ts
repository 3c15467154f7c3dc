/** Fractions of a value's lifetime, from 0 to 1. */
export interface RenewalWindow {
  readonly from: number;
  readonly to: number;
}

/** Random within the window, so that values do not all expire at once. */
export function renewAfterMs(servesMs: number, { from, to }: RenewalWindow): number {
  return servesMs * (from + (to - from) * Math.random());
}
