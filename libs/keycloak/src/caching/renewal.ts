/** `from` and `to` are fractions of a value's lifetime, from 0 to 1. */
export interface RenewalWindow {
  readonly from: number;
  readonly to: number;
}

/** The renewal time is random, so that values are not all renewed at once. */
export function renewAfterMs(servesMs: number, { from, to }: RenewalWindow): number {
  return servesMs * (from + (to - from) * Math.random());
}
