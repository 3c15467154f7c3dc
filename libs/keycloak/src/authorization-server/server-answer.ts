/** What an answer that is no success says about us: refused, or unavailable. */
import { OperationProcessingError, ResponseBodyError, WWWAuthenticateChallengeError } from 'oauth4webapi';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { Refusal } from '../protocol/refusal.js';

/**
 * Turns whatever the OAuth library threw into an error of ours. Its own errors hold the response, and with it tokens:
 * of them only the OAuth error code and the status go on.
 *
 * 429, 408 and 5xx, and answers that make no sense, are `authorization_server_unavailable`; any other 4xx is
 * `authorization_server_refused`.
 */
export function toServerError(error: unknown): Refusal {
  if (error instanceof AuthorizationServerError) return error;
  if (error instanceof ResponseBodyError) return serverError(error.status, error.error, error.response);
  if (error instanceof WWWAuthenticateChallengeError) return serverError(error.status, 'challenge', error.response);
  if (error instanceof OperationProcessingError && error.cause instanceof Response) {
    return serverError(error.cause.status, 'unexpected_status', error.cause);
  }
  return new AuthorizationServerError('authorization_server_unavailable', { reason: 'nonsense_answer' });
}

function serverError(status: number, reason: string, response: Response): AuthorizationServerError {
  const refused = status >= 400 && status < 500 && status !== 408 && status !== 429;
  const retryAfterSeconds = refused ? undefined : retryAfter(response);
  return new AuthorizationServerError(refused ? 'authorization_server_refused' : 'authorization_server_unavailable', {
    reason: `answered_${status}_${reason}`,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** `Retry-After` in seconds (RFC 9110 §10.2.3), at most five minutes; the date form is left out. */
function retryAfter(response: Response): number | undefined {
  const value = response.headers.get('retry-after');
  return value !== null && /^\d{1,9}$/.test(value) ? Math.min(Number(value), 300) : undefined;
}
