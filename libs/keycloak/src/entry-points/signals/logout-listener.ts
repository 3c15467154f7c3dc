/** The content of a verified logout notice (OpenID Connect Back-Channel Logout 1.0 §2.4). */
export interface BackchannelLogout {
  readonly issuer: string;
  /** The `sid` claim: if present, only this session has ended, and `subject` is the user of the session. */
  readonly sessionId?: string;
  /** The `sub` claim: if `sessionId` is absent, all sessions of this user that began before `issuedAt` have ended. */
  readonly subject?: string;
  /** The `iat` claim, in seconds since the epoch, by the issuer's clock. */
  readonly issuedAt: number;
}

/**
 * The listener for `BackchannelLogoutModule.forRootAsync`, which removes the data that the application keeps for a
 * session, such as a cookie.
 */
export interface BackchannelLogoutListener {
  /**
   * Called when a session has ended and its tokens are already denied. The issuer may still report the tokens as
   * active, because the issuer waits for this response.
   *
   * If the listener rejects or takes longer than four seconds, Keycloak gets status 503, and does not send the notice
   * again. A slower listener continues, but the service ignores the result.
   */
  ended(logout: BackchannelLogout): Promise<void>;
  /**
   * Called for a notice whose signature can't be verified because the issuer's keys can't be read. The notice may be
   * about any session, and Keycloak does not send the notice again.
   *
   * Introspect the token of each session before the application uses the session again. Anybody can send such notices
   * at any rate, so do not end a session only because of this call.
   */
  unverified?(): Promise<void>;
}
