/**
 * The error codes of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 8693 §2.2.2, OpenID Connect Core §3.1.2.6, and
 * Keycloak.
 */
export const OAUTH_ERROR_CODES = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'unsupported_response_type',
  'invalid_scope',
  'invalid_target',
  'invalid_token',
  'insufficient_scope',
  'access_denied',
  'server_error',
  'temporarily_unavailable',
  'interaction_required',
  'login_required',
  'consent_required',
  'account_selection_required',
  'slow_down',
  'not_allowed',
  'unknown_error',
] as const;

/** A known OAuth error code, or `other` for an unknown code. */
export type OAuthErrorCode = (typeof OAUTH_ERROR_CODES)[number] | 'other';

const KNOWN: ReadonlySet<unknown> = new Set(OAUTH_ERROR_CODES);

export function oauthErrorCode(error: unknown): OAuthErrorCode {
  return KNOWN.has(error) ? (error as OAuthErrorCode) : 'other';
}

const MAX_LENGTH = 64;

/** The grammar of an OAuth `error` (RFC 6749 §5.2). */
const ERROR_TEXT = /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/;

/** The maximum length of a word that is not snake_case, because a longer word could be a token or secret. */
const MAX_WORD_LENGTH = 20;

export function loggableError(error: unknown): string | undefined {
  if (typeof error !== 'string' || error.length > MAX_LENGTH || !ERROR_TEXT.test(error)) return undefined;
  const isLikeToken = (word: string): boolean => word.length > MAX_WORD_LENGTH && !/^[a-z_]+$/.test(word);
  return error.split(' ').some(isLikeToken) ? undefined : error;
}
