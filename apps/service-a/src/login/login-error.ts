/** LoginError: a login failed, and the browser is as it was before. */
import { HttpException, HttpStatus } from '@nestjs/common';

/**
 * - `login_not_started_here`: this browser did not start the login, or started it too long ago.
 * - `login_refused`: Keycloak or the user refused.
 * - `login_not_valid`: the answer does not match the request: wrong issuer, nonce or signature.
 * - `login_link_malformed`: the link asks for a login that there is not.
 * - `login_too_weak`: the user did not log in as strongly or as recently as was asked.
 * - `login_of_another_user`: it was begun to confirm the user of a session, and another one logged in.
 */
export type LoginErrorCode =
  | 'login_not_started_here'
  | 'login_refused'
  | 'login_not_valid'
  | 'login_link_malformed'
  | 'login_too_weak'
  | 'login_of_another_user';

export class LoginError extends HttpException {
  constructor(
    readonly code: LoginErrorCode,
    /** The finer reason, one word, for the log. */
    readonly reason: string,
  ) {
    super({ error: 'Login failed', code }, HttpStatus.BAD_REQUEST);
  }
}
