/** Logout listener: what an application does of its own when a session has ended, beside what the module does. */

/** What a logout notice says, once it is verified (OpenID Connect Back-Channel Logout 1.0 §2.4). It names a session, a user or both. */
export interface BackchannelLogout {
  /** Of whose sessions it tells. */
  readonly issuer: string;
  /** `sid`: that session alone has ended. `subject` beside it only names its user. */
  readonly sessionId?: string;
  /** `sub`, where there is no `sessionId`: all sessions of this user that began until then. */
  readonly subject?: string;
  /** `iat`, in seconds since the epoch, of the issuer's clock. */
  readonly issuedAt: number;
}

/** For `BackchannelLogoutModule.forRootAsync`: ends what the application keeps for a session, such as one with a cookie. */
export interface BackchannelLogoutListener {
  /**
   * A session has ended. Its tokens are denied already; the issuer may still call them active, since it waits for this answer. One that rejects, or takes longer than four seconds, makes the answer 503: Keycloak waits for
   * five. What takes longer goes on, and nobody waits for it. Keycloak sends no notice twice.
   */
  ended(logout: BackchannelLogout): Promise<void>;
  /**
   * A notice came whose signature could not be verified, since the issuer's keys can't be had: it may have been about any session, and it does not come again. Anybody can send one, at any time and as often as they
   * like: ask the issuer about sessions before they serve on, and end none by this alone.
   */
  unverified?(): Promise<void>;
}
