/** AuthorizationServerError: the authorization server gave us no usable answer, and the caller can't mend that. */
import { loggableError, oauthErrorCode } from './oauth-error-codes.js';
import { loggableText } from './loggable-text.js';
import type { AnsweredWith, AuthorizationServerErrorReason } from './refusal-reasons.js';
import { KeycloakException, type RefusalDetails } from './keycloak-exception.js';

/**
 * - `authorization_server_refused` (502): it refused our credentials, or what we are configured to ask for.
 * - `authorization_server_unavailable` (503): not reachable, too slow, overloaded, or an answer that makes no sense.
 */
export type AuthorizationServerErrorCode = 'authorization_server_refused' | 'authorization_server_unavailable';

/** Our own failure towards the authorization server. It is never shown as a fault of the caller's token. */
export class AuthorizationServerError extends KeycloakException<AuthorizationServerErrorReason> {
  constructor(
    readonly code: AuthorizationServerErrorCode,
    details: RefusalDetails<AuthorizationServerErrorReason>,
  ) {
    super(code, details);
  }

  /**
   * For an answer that is not a success. 429, 408, 5xx, and a success of an unexpected form, are
   * `authorization_server_unavailable`; any other 4xx is `authorization_server_refused`.
   *
   * `error` is the OAuth error of the answer (RFC 6749 §5.2). Only a word that is known becomes part of the reason; any other
   * text goes to the log alone, and only when it is short and plain. `description` is its `error_description`, which goes to the log alone: cut to
   * 200 characters, without what is shaped like a token or a secret.
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
