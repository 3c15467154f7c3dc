import { Injectable } from '@nestjs/common';
import {
  AccessTokenVerifier,
  authenticationFault,
  BearerError,
  VerifiedAccessToken,
  type AuthenticationClaims,
  type AuthenticationDemand,
  type AuthenticationRequirement,
} from 'nestjs-keycloak-s2s';
import { Cookies, type CookieRequest } from './cookies.js';
import { CLOCK_TOLERANCE_SECONDS, demandOf } from './step-up.js';
import type { UserSession } from './user-session.js';
import { UserSessions } from './user-sessions.js';

export const SESSION_ENDED = 'session_ended';
/** This reason means that another instance may have the session. */
const SESSION_UNKNOWN = 'session_unknown';

/**
 * If this replica's clock is wrong, tokens may be refused for these reasons, so these reasons must not end the session.
 */
const BY_CLOCK: ReadonlySet<string> = new Set(['expired', 'not_yet_valid', 'issued_in_the_future']);

interface ConfirmedSession {
  readonly session: UserSession;
  readonly token: VerifiedAccessToken;
}

@Injectable()
export class SessionCaller {
  readonly #found = new WeakMap<object, UserSession>();

  constructor(
    private readonly sessions: UserSessions,
    private readonly cookies: Cookies,
    private readonly verifier: AccessTokenVerifier,
  ) {}

  /**
   * Returns undefined if the request has no session cookie, or if a token authenticates the request. Throws
   * `BearerError` if the session can't be used, so that the request does not run under another identity.
   *
   * - `missing_token`: the session is unknown or has ended
   * - `invalid_token`: this service's clock is wrong
   * - `insufficient_scope`: the permission is missing
   * - `insufficient_user_authentication`: the login is too weak or too old
   */
  async of(
    request: CookieRequest,
    permission: string,
    required?: AuthenticationRequirement,
  ): Promise<VerifiedAccessToken | undefined> {
    const id = this.cookies.sessionId(request);
    if (id === undefined) return undefined;
    const confirmed = await this.#confirmed(id);
    if (confirmed === undefined) throw noSession(this.sessions.wouldKnow(id) ? SESSION_ENDED : SESSION_UNKNOWN);
    const { session, token } = confirmed;
    this.#found.set(request, session);
    if (!token.hasPermission(permission)) {
      const { issuer: iss, clientId: azp, subject: sub, actor } = token;
      throw new BearerError('insufficient_scope', {
        reason: 'permission_missing',
        permission,
        fields: { iss, azp, sub, ...(actor && { actor: { azp: actor.clientId, sub: actor.subject } }) },
      });
    }
    if (required !== undefined) checkLogin(session, demandOf(required));
    return token;
  }

  /**
   * Requires no permission. A session is valid only while the access token is accepted. A logout takes effect within
   * the revocation window even without the session store.
   */
  async confirmedSession(request: CookieRequest): Promise<UserSession | undefined> {
    const id = this.cookies.sessionId(request);
    return id === undefined ? undefined : (await this.#confirmed(id))?.session;
  }

  sessionOf(request: object): UserSession | undefined {
    return this.#found.get(request);
  }

  async #confirmed(id: string): Promise<ConfirmedSession | undefined> {
    const session = await this.sessions.findFresh(id);
    if (session === undefined) return undefined;
    try {
      return { session, token: await this.verifier.verify(session.tokens.reveal().accessToken) };
    } catch (error) {
      if (!(error instanceof BearerError) || BY_CLOCK.has(error.reason)) throw error;
      // A refresh could revive a session that Keycloak ended without notifying this service.
      await this.sessions.end(id);
      return undefined;
    }
  }
}

/**
 * Checks the ID token of the login, not the access token. Introspection reports the level of the user's last login at
 * this client. For an exchanged token, introspection reports no level.
 */
function checkLogin({ authentication, subject: sub, sessionId: sid }: UserSession, demand: AuthenticationDemand): void {
  const known = authentication ?? NOTHING_KNOWN;
  const reason = authenticationFault(demand, known, Date.now() / 1000, CLOCK_TOLERANCE_SECONDS);
  if (reason === undefined) return;
  throw new BearerError('insufficient_user_authentication', { reason, authentication: demand, fields: { sub, sid } });
}

/** The claims of a session that an earlier version of this service started. */
const NOTHING_KNOWN: AuthenticationClaims = { acr: undefined, authTime: undefined };

function noSession(reason: 'session_ended' | 'session_unknown'): BearerError {
  return new BearerError('missing_token', { reason });
}
