/** LoginError: a login failed, and no user is logged in. */
import { HttpException, HttpStatus } from '@nestjs/common';

/**
 * - `login_not_started_here`: this browser did not start the login, or started it too long ago.
 * - `login_refused`: Keycloak or the user refused.
 * - `login_not_valid`: the answer does not match the request: wrong issuer, nonce or signature.
 */
export type LoginErrorCode = 'login_not_started_here' | 'login_refused' | 'login_not_valid';

export class LoginError extends HttpException {
  constructor(
    readonly code: LoginErrorCode,
    /** The finer reason, one word, for the log. */
    readonly reason: string,
  ) {
    super({ error: 'Login failed', code }, HttpStatus.BAD_REQUEST);
  }
}
