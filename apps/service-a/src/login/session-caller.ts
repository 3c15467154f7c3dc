/** SessionCaller: the user in whose name a request with a session is made. */
import { Injectable } from '@nestjs/common';
import { AccessTokenVerifier, BearerError, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { Cookies, type CookieRequest } from './cookies.js';
import { UserSessions } from './user-sessions.js';

/** The reason of a refusal after which the browser's cookie is worth nothing, here or anywhere. */
export const SESSION_ENDED = 'session_ended';
/** The session may be one of another instance. */
const SESSION_UNKNOWN = 'session_unknown';

@Injectable()
export class SessionCaller {
  constructor(
    private readonly sessions: UserSessions,
    private readonly cookies: Cookies,
    private readonly verifier: AccessTokenVerifier,
  ) {}

  /**
   * The judged token of the session's user; undefined when the browser brought no session. It must have `permission`, as
   * a token in a header must where the route says `@RequirePermission`.
   *
   * Throws `BearerError`: `missing_token` when the session is over or not known (nobody is somebody else instead),
   * `insufficient_scope`.
   */
  async of(request: CookieRequest, permission: string): Promise<VerifiedAccessToken | undefined> {
    const id = this.cookies.sessionId(request);
    if (id === undefined) return undefined;
    const session = await this.sessions.findFresh(id);
    if (session === undefined) throw noSession(this.sessions.isOurs(id) ? SESSION_ENDED : SESSION_UNKNOWN);
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
      // Keycloak ended the session and told nobody. A refresh now could bring back what is just being ended.
      await this.sessions.end(id);
      throw noSession(SESSION_ENDED);
    }
  }
}

function noSession(reason: 'session_ended' | 'session_unknown'): BearerError {
  return new BearerError('missing_token', { reason });
}
