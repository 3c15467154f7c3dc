import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import type { CallRules } from '../resilience/call-rules.js';
import { retryAfterMs } from '../resilience/retry-after.js';

/**
 * A refusal does not count as a failure for the circuit breaker, because a server that refuses a request is working.
 */
export const SERVER_CALL_RULES: CallRules = {
  ended: (reason, retryAfterSeconds) =>
    new AuthorizationServerError('authorization_server_unavailable', {
      reason,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    }),
  isFailure,
  isPassing: (failure) => isFailure(failure) && !NOT_REPEATED.has(failure.reason),
  retryAfterMs,
};

/** The failures that are not retried, because the deadline has passed or the answer would be the same. */
const NOT_REPEATED: ReadonlySet<AuthorizationServerErrorReason> = new Set([
  'timeout',
  'proxy_timeout',
  'proxy_refused',
  'answer_too_large',
  'answer_not_json',
  'answer_not_strict_json',
  'nonsense_answer',
]);

function isFailure(error: Error): error is AuthorizationServerError {
  return error instanceof AuthorizationServerError && error.code === 'authorization_server_unavailable';
}
