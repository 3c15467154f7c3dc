import { HttpException, HttpStatus } from '@nestjs/common';

/**
 * - `login_not_started_here`: this browser has no such login in progress, or the login is too old
 * - `login_refused`: Keycloak or the user refused the login
 * - `login_not_valid`: Keycloak's answer has a wrong issuer, nonce or signature
 * - `login_link_malformed`: the link asks for an unknown level or an age out of bounds
 * - `login_too_weak`: the login was weaker or older than the route requires
 * - `login_of_another_user`: a user other than the session's user logged in
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
    readonly reason: string,
  ) {
    super({ error: 'Login failed', code }, HttpStatus.BAD_REQUEST);
  }
}
