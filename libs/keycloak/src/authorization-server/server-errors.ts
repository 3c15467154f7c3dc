import { OperationProcessingError, ResponseBodyError, WWWAuthenticateChallengeError } from 'oauth4webapi';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import type { KeycloakException } from '../protocol/keycloak-exception.js';
import { loggableDescription } from './bounded-fetch.js';
import { readErrorBody } from './error-body.js';
import { retryAfterSeconds } from '../resilience/retry-after.js';

/** Keeps only the status, code and description, because the OAuth library's error contains tokens. */
export function toServerError(error: unknown): KeycloakException {
  if (error instanceof AuthorizationServerError) return error;
  if (error instanceof ResponseBodyError) return answered(error.response, error.error, error.error_description);
  if (error instanceof WWWAuthenticateChallengeError) return answered(error.response, 'challenge');
  if (error instanceof OperationProcessingError && error.cause instanceof Response) {
    return answered(error.cause, 'unexpected_status');
  }
  return new AuthorizationServerError('authorization_server_unavailable', { reason: 'nonsense_answer' });
}

export async function toRefusal(response: Response): Promise<AuthorizationServerError> {
  const { error = 'unexpected_status', description } = readErrorBody(response.status, await response.text()) ?? {};
  return answered(response, error, description);
}

export function unusable(
  reason: AuthorizationServerErrorReason,
  fields: Readonly<Record<string, unknown>> = {},
): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_refused', { reason, fields });
}

function answered(response: Response, error: string, description?: unknown): AuthorizationServerError {
  const { status, headers } = response;
  const said = loggableDescription(response, description);
  return AuthorizationServerError.answered(
    status,
    error,
    retryAfterSeconds(headers.get('retry-after'), headers.get('date')),
  ).add(said === undefined ? {} : { description: said });
}
