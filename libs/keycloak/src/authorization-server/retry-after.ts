/** Retry-After: how long the server asked us to stay away, as a failure tells it. */
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';

/** Milliseconds; 0 for any failure that does not say. */
export function retryAfterMs(failure: unknown): number {
  return failure instanceof AuthorizationServerError ? (failure.retryAfterSeconds ?? 0) * 1000 : 0;
}
