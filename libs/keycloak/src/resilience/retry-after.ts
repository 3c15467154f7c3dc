/** Retry-After: how long the other side asked us to stay away. */
import { Refusal } from '../protocol/refusal.js';

const MAX_SECONDS = 300;

/** The header in seconds (RFC 9110 §10.2.3), at most five minutes; undefined for none, and for the form of a date. */
export function retryAfterSeconds(header: string | null | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,9}$/.test(header) ? Math.min(Number(header), MAX_SECONDS) : undefined;
}

/** In milliseconds; 0 for any failure that does not say. */
export function retryAfterMs(failure: unknown): number {
  return failure instanceof Refusal ? (failure.retryAfterSeconds ?? 0) * 1000 : 0;
}
