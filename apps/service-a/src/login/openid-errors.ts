import { AuthorizationServerError, type AuthorizationServerErrorReason } from 'nestjs-keycloak-s2s';
import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import { LoginError } from './login-error.js';

/** Replaces errors of openid-client, which may contain a request or an answer. */
export async function translateErrors<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw translated(error);
  }
}

/** Whether the token endpoint refused the authorization code or the refresh token (RFC 6749 §5.2). */
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

const MALFORMED = new Set(['OAUTH_RESPONSE_IS_NOT_CONFORM', 'OAUTH_RESPONSE_IS_NOT_JSON', 'OAUTH_PARSE_ERROR']);

function translated(error: unknown): Error {
  if (error instanceof LoginError || error instanceof AuthorizationServerError) return error;
  if (error instanceof AuthorizationResponseError) return new LoginError('login_refused', plainWord(error.error));
  if (error instanceof ResponseBodyError) {
    if (error.status === 400 && error.error === INVALID_GRANT) return new LoginError('login_refused', INVALID_GRANT);
    return AuthorizationServerError.answered(error.status, error.error, undefined, error.error_description);
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
  if (MALFORMED.has(code) || isAboutBody(cause)) return unavailable('nonsense_answer');
  return new LoginError('login_not_valid', plainWord(code.toLowerCase()));
}

/** The rejected body of an answer may contain secrets, so no code may read or log the body. */
function isAboutBody(cause: unknown): boolean {
  const details = cause instanceof Error ? cause.cause : undefined;
  return typeof details === 'object' && details !== null && 'body' in details;
}

/** The callback URL may contain any error code, so an implausible code becomes `other`. */
function plainWord(code: string): string {
  return /^[a-z_]{1,60}$/.test(code) ? code : 'other';
}
