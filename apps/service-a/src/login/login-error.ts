/** LoginError: a login that came to nothing, and nothing is known of a user. */
import { HttpException, HttpStatus } from '@nestjs/common';

/**
 * - `login_not_started_here`: this browser began no such login, or began it too long ago.
 * - `login_refused`: Keycloak said no, or the user did.
 * - `login_not_valid`: an answer that is not what was asked for: another issuer, nonce, signature.
 */
export type LoginErrorCode = 'login_not_started_here' | 'login_refused' | 'login_not_valid';

export class LoginError extends HttpException {
  constructor(
    readonly code: LoginErrorCode,
    /** The finer reason, one word: for the log of the operator. */
    readonly reason: string,
  ) {
    super({ error: 'Login failed', code }, HttpStatus.BAD_REQUEST);
  }
}
