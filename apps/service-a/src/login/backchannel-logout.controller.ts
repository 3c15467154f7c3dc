/** Back-channel logout: receives Keycloak's notice, sent without a browser, that a session has ended. */
import { BadRequestException, Body, Controller, HttpCode, Logger, Post } from '@nestjs/common';
import { Public, RevocationList } from 'nestjs-keycloak-s2s';
import { CsrfExempt } from './csrf.guard.js';
import { LogoutTokenError, LogoutTokens, type LogoutToken } from './logout-tokens.js';
import { UserSessions } from './user-sessions.js';

@Controller('auth/backchannel-logout')
export class BackchannelLogoutController {
  readonly #logger = new Logger('BackchannelLogout');

  constructor(
    private readonly tokens: LogoutTokens,
    private readonly sessions: UserSessions,
    private readonly revocations: RevocationList,
  ) {}

  /**
   * Answers 200, 400 with a body in the specification's form, or 503 when Keycloak's keys or the session store are unavailable; what is to end then ends when they are back. The signed token is proof
   * enough, so the route needs no session and no CSRF token.
   */
  @Post()
  @HttpCode(200)
  @Public()
  @CsrfExempt()
  async logout(@Body() body: unknown): Promise<void> {
    const token = await this.#checked(logoutTokenIn(body));
    // This comes first: while Keycloak sends the notice, it still reports the session's tokens as active.
    this.#deny(token);
    await this.sessions.endAtKeycloak(token, token.issuedAt);
    this.#logger.log({ message: 'Session ended', audit: 'session_ended', sid: token.sessionId, sub: token.subject });
  }

  /** Denies the tokens of the session, also as Bearer tokens; for a whole user, the tokens issued until now. */
  #deny({ issuer, sessionId, subject, issuedAt }: LogoutToken): void {
    if (sessionId !== undefined) this.revocations.deny({ issuer, sid: sessionId });
    else if (subject !== undefined) this.revocations.deny({ issuer, sub: subject, issuedBefore: issuedAt + 1 });
  }

  async #checked(text: unknown): Promise<LogoutToken> {
    try {
      return await this.tokens.check(text);
    } catch (error) {
      if (!(error instanceof LogoutTokenError)) {
        // Keycloak sends the token once and it could concern any session, so all sessions are checked.
        this.#logger.error('Logout token not verified: every session will be checked with Keycloak again');
        await this.sessions.recheckAll();
        throw error;
      }
      this.#logger.warn('Logout token refused', { reason: error.reason });
      throw new BadRequestException({ error: 'invalid_request', code: 'logout_token_refused' });
    }
  }
}

function logoutTokenIn(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'logout_token' in body ? body.logout_token : undefined;
}
