/** StepUps: repeated logins that a route requires from the user of a session (RFC 9470 §4). */
import { Injectable } from '@nestjs/common';
import { authenticationFault } from 'nestjs-keycloak-s2s';
import { Cookies, type CookieRequest } from './cookies.js';
import { LoginError } from './login-error.js';
import type { LoggedIn } from './openid-provider.js';
import type { PendingLogin } from './pending-logins.js';
import { SessionCaller } from './session-caller.js';
import { CLOCK_TOLERANCE_SECONDS } from './step-up.js';
import { UserSessions } from './user-sessions.js';

export interface ConfirmedUser {
  readonly confirms: string | undefined;
  readonly loginHint: string | undefined;
}

@Injectable()
export class StepUps {
  constructor(
    private readonly sessions: UserSessions,
    private readonly sessionCaller: SessionCaller,
    private readonly cookies: Cookies,
  ) {}

  async userOf(request: CookieRequest): Promise<ConfirmedUser> {
    const session = await this.sessionCaller.confirmedSession(request);
    return { confirms: session?.subject, loginHint: session?.username };
  }

  /**
   * Throws `LoginError`. After an error, the session is unchanged and has no data of another user.
   *
   * - `login_too_weak`: Keycloak's login was weaker than requested. Users can edit the URL of the login, and Keycloak
   *   may ignore `acr_values` (OpenID Connect Core 1.0 §5.5.1.1).
   * - `login_of_another_user`: the login's user differs from the user of the session to confirm, or from the user of
   *   the browser's current session.
   */
  async check({ demand, confirms }: PendingLogin, login: LoggedIn, request: CookieRequest): Promise<void> {
    const fault =
      demand && authenticationFault(demand, login.authentication, Date.now() / 1000, CLOCK_TOLERANCE_SECONDS);
    if (fault !== undefined) throw new LoginError('login_too_weak', fault);
    const current = (await this.sessions.find(this.cookies.sessionId(request)))?.subject;
    const isOther = (subject: string | undefined): boolean => subject !== undefined && subject !== login.subject;
    if (isOther(confirms) || isOther(current)) throw new LoginError('login_of_another_user', 'another_subject');
  }
}
