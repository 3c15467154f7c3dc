import { HttpException, HttpStatus } from '@nestjs/common';

/**
 * - `login_not_started_here`: this browser did not start the login, started it too long ago, or has finished it before
 * - `login_refused`: Keycloak or the user refused
 * - `login_not_valid`: the answer does not match the request in issuer, nonce or signature
 * - `login_link_malformed`: the link asks for an unknown level, or an age out of bounds
 * - `login_too_weak`: the login was not as strong or as recent as required
 * - `login_of_another_user`: the login should confirm the user of a session, but another user logged in
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
    /** One word, for the log. */
    readonly reason: string,
  ) {
    super({ error: 'Login failed', code }, HttpStatus.BAD_REQUEST);
  }
}
