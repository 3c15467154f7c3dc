import { loggableError, oauthErrorCode } from './oauth-error-codes.js';
import { loggableText } from './loggable-text.js';
import type { AnsweredWith, AuthorizationServerErrorReason } from './refusal-reasons.js';
import { KeycloakException, type RefusalDetails } from './keycloak-exception.js';

/**
 * - `authorization_server_refused` (502): the authorization server refused this service's credentials or configured
 *   request.
 * - `authorization_server_unavailable` (503): the authorization server is unreachable, too slow or overloaded, or its
 *   answer is invalid.
 */
export type AuthorizationServerErrorCode = 'authorization_server_refused' | 'authorization_server_unavailable';

/** A failure between this service and the authorization server, never the caller's fault. */
export class AuthorizationServerError extends KeycloakException<AuthorizationServerErrorReason> {
  constructor(
    readonly code: AuthorizationServerErrorCode,
    details: RefusalDetails<AuthorizationServerErrorReason>,
  ) {
    super(code, details);
  }

  /**
   * 429, 408, 5xx and an unexpected success are `authorization_server_unavailable`; any other 4xx is
   * `authorization_server_refused`. Only a known OAuth `error` (RFC 6749 §5.2) becomes part of the reason. An unknown
   * `error` is logged if it can't contain a token. The log also has `description`, with masked tokens and secrets.
   */
  static answered(
    status: number,
    error: string | undefined,
    retryAfterSeconds?: number,
    description?: unknown,
  ): AuthorizationServerError {
    const isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 429;
    const word: AnsweredWith = error === 'challenge' || error === 'unexpected_status' ? error : oauthErrorCode(error);
    const text = word === 'other' ? loggableError(error) : undefined;
    const said = loggableText(description);
    return new AuthorizationServerError(
      isRefusal ? 'authorization_server_refused' : 'authorization_server_unavailable',
      {
        reason: `answered_${status}_${word}`,
        ...(isRefusal || retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
        fields: {
          ...(text === undefined ? {} : { error: text }),
          ...(said === undefined ? {} : { description: said }),
        },
      },
    );
  }
}
