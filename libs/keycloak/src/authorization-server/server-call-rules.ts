/** Server call rules: what the failures of calls to the authorization server say of it. */
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import type { CallRules } from '../resilience/call-rules.js';
import { retryAfterMs } from '../resilience/retry-after.js';

/**
 * Its failures are those that are not its refusals: a wrong secret or a bad scope says that it is well. All but those below
 * may have passed when it is asked again.
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

/** The deadline has passed, or the server or a proxy answered in full (or in more than is read) and would do so again. */
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
