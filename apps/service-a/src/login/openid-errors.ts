/** OpenID errors: whose fault it is when a login or a refresh fails; no error of the library gets further than this. */
import { AuthorizationServerError, type AuthorizationServerErrorReason } from 'nestjs-keycloak-s2s';
import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import { LoginError } from './login-error.js';

/** Errors of the library may carry a request or an answer. */
export async function withOwnErrors<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw ownError(error);
  }
}

/** The one answer of the token endpoint that says something of a code or a refresh token (RFC 6749 §5.2). */
export function isInvalidGrant(error: unknown): boolean {
  return error instanceof LoginError && error.reason === INVALID_GRANT;
}

export function unavailable(reason: AuthorizationServerErrorReason): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_unavailable', { reason });
}

export function refused(
  reason: AuthorizationServerErrorReason,
  fields: Readonly<Record<string, unknown>>,
): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_refused', { reason, fields });
}

const INVALID_GRANT = 'invalid_grant';

/** The codes for answers that no authorization server gives; what is wrong with a callback or an ID token has others. */
const NONSENSE = new Set(['OAUTH_RESPONSE_IS_NOT_CONFORM', 'OAUTH_RESPONSE_IS_NOT_JSON', 'OAUTH_PARSE_ERROR']);

/** The user's or the browser's (`LoginError`), Keycloak's or our configuration's (`AuthorizationServerError`). */
function ownError(error: unknown): Error {
  if (error instanceof LoginError || error instanceof AuthorizationServerError) return error;
  if (error instanceof AuthorizationResponseError) return new LoginError('login_refused', word(error.error));
  if (error instanceof ResponseBodyError) {
    // The code, or the refresh token, is no longer good.
    if (error.status === 400 && error.error === INVALID_GRANT) return new LoginError('login_refused', INVALID_GRANT);
    return AuthorizationServerError.answered(error.status, error.error);
  }
  if (error instanceof WWWAuthenticateChallengeError)
    return AuthorizationServerError.answered(error.status, 'challenge');
  if (!(error instanceof Error)) return new LoginError('login_not_valid', 'other');
  const { cause } = error;
  if (cause instanceof AuthorizationServerError) return cause;
  const code = error instanceof ClientError ? (error.code ?? '') : '';
  if (code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT') return unavailable('timeout');
  if (cause instanceof Response && !cause.ok)
    return AuthorizationServerError.answered(cause.status, 'unexpected_status');
  if (NONSENSE.has(code) || isOfBody(cause)) return unavailable('nonsense_answer');
  return new LoginError('login_not_valid', word(code.toLowerCase()));
}

/** Whether the library found fault with the body of an answer: it has it in the cause, which is not to be looked at. */
function isOfBody(cause: unknown): boolean {
  const details = cause instanceof Error ? cause.cause : undefined;
  return typeof details === 'object' && details !== null && 'body' in details;
}

/** An error code for the log. Part of it comes from the address line: nothing but a plain word is taken. */
function word(code: string): string {
  return /^[a-z_]{1,60}$/.test(code) ? code : 'other';
}
