/** The content of a verified logout notice (OpenID Connect Back-Channel Logout 1.0 §2.4). */
export interface BackchannelLogout {
  readonly issuer: string;
  /** `sid`. If present, only this session has ended, and `subject` merely names its user. */
  readonly sessionId?: string;
  /** `sub`. Without `sessionId`, all sessions of this user that began before `issuedAt` have ended. */
  readonly subject?: string;
  /** `iat`, in seconds since the epoch, by the issuer's clock. */
  readonly issuedAt: number;
}

/**
 * Listener for `BackchannelLogoutModule.forRootAsync`: ends what the application keeps for a session, such as its
 * cookie.
 */
export interface BackchannelLogoutListener {
  /**
   * Called when a session has ended. The tokens of the session are already denied; the issuer may still report them as
   * active, because it waits for this response.
   *
   * If the listener rejects or takes longer than four seconds, Keycloak gets status 503, and does not send the notice
   * again. A slower listener continues, but its result is ignored.
   */
  ended(logout: BackchannelLogout): Promise<void>;
  /**
   * Called for a notice whose signature can't be verified because the issuer's keys can't be read. It may be about any
   * session, and Keycloak does not send it again.
   *
   * Anybody can send such notices at any rate, so introspect all sessions before the application uses them again. Do
   * not end a session because of this call alone.
   */
  unverified?(): Promise<void>;
}
