/** Back-channel logout: Keycloak says, without a browser, that a session is over. */
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
   * 200, or 400 with a body of the specification's form; 503 when Keycloak's keys can't be had. The token proves itself, so no
   * session and no CSRF token is needed.
   */
  @Post()
  @HttpCode(200)
  @Public()
  @CsrfExempt()
  async logout(@Body() body: unknown): Promise<void> {
    const token = await this.#checked(logoutTokenIn(body));
    // First: while Keycloak sends this, it still calls the session's tokens active.
    this.#deny(token);
    await this.sessions.endAtKeycloak(token, token.issuedAt);
    this.#logger.log('Session ended', { sid: token.sessionId, sub: token.subject });
  }

  /** The tokens of the session, also those that come as Bearer; of a whole user those of until now. */
  #deny({ sessionId, subject, issuedAt }: LogoutToken): void {
    if (sessionId !== undefined) this.revocations.deny({ sid: sessionId });
    else if (subject !== undefined) this.revocations.deny({ sub: subject, issuedBefore: issuedAt + 1 });
  }

  async #checked(text: unknown): Promise<LogoutToken> {
    try {
      return await this.tokens.check(text);
    } catch (error) {
      if (!(error instanceof LogoutTokenError)) {
        // Keycloak sends it once: whichever session it was about, it must not go on unasked.
        this.sessions.doubtAll();
        this.#logger.error('Logout token not verified: every session is asked about anew');
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
