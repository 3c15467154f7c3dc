/** SessionCaller: finds the user of a request that has a session. */
import { Injectable } from '@nestjs/common';
import { AccessTokenVerifier, BearerError, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { Cookies, type CookieRequest } from './cookies.js';
import { UserSessions } from './user-sessions.js';

/** The reason of a refusal after which the browser's cookie is useless at every instance. */
export const SESSION_ENDED = 'session_ended';
/** The session may belong to another instance. */
const SESSION_UNKNOWN = 'session_unknown';

@Injectable()
export class SessionCaller {
  constructor(
    private readonly sessions: UserSessions,
    private readonly cookies: Cookies,
    private readonly verifier: AccessTokenVerifier,
  ) {}

  /**
   * Returns the verified token of the session's user, or undefined when the request has no session. The token needs `permission`,
   * as a token in a header does on a route with `@RequirePermission`.
   *
   * Throws `BearerError`: `missing_token` when the session is unknown or has ended, and `insufficient_scope` without the
   * permission. A request whose session is gone never runs under another identity.
   */
  async of(request: CookieRequest, permission: string): Promise<VerifiedAccessToken | undefined> {
    const id = this.cookies.sessionId(request);
    if (id === undefined) return undefined;
    const session = await this.sessions.findFresh(id);
    if (session === undefined) throw noSession(this.sessions.wouldKnow(id) ? SESSION_ENDED : SESSION_UNKNOWN);
    const token = await this.#verified(id, session.tokens.reveal().accessToken);
    if (!token.hasPermission(permission)) {
      throw new BearerError('insufficient_scope', { reason: 'permission_missing', permission });
    }
    return token;
  }

  async #verified(id: string, accessToken: string): Promise<VerifiedAccessToken> {
    try {
      return await this.verifier.verify(accessToken);
    } catch (error) {
      if (!(error instanceof BearerError)) throw error;
      // Keycloak ended the session without a notice. A refresh now could revive a session that is just being ended.
      await this.sessions.end(id);
      throw noSession(SESSION_ENDED);
    }
  }
}

function noSession(reason: 'session_ended' | 'session_unknown'): BearerError {
  return new BearerError('missing_token', { reason });
}
