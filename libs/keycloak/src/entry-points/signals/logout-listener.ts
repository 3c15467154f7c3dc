/** The content of a verified logout notice (OpenID Connect Back-Channel Logout 1.0 §2.4). */
export interface BackchannelLogout {
  readonly issuer: string;
  /** The `sid` claim, which names the only session that has ended. */
  readonly sessionId?: string;
  /** The `sub` claim, which names a user. Without `sessionId`, all the user's sessions before `issuedAt` ended. */
  readonly subject?: string;
  /** The `iat` claim, in seconds since the epoch, by the issuer's clock. */
  readonly issuedAt: number;
}

/** Removes the application's data of a session, for `BackchannelLogoutModule.forRootAsync`. */
export interface BackchannelLogoutListener {
  /**
   * Called when a session has ended and its tokens are already denied. The issuer waits until this method resolves, and
   * may still report the tokens as active.
   *
   * If the method rejects or takes over four seconds, Keycloak gets 503, but does not repeat the notice. A slower
   * listener continues, but the service ignores the result.
   */
  ended(logout: BackchannelLogout): Promise<void>;
  /**
   * Called if the service can't read the issuer's keys to verify a notice. The notice may be about any session, and
   * Keycloak does not repeat it.
   *
   * Introspect the token of each session before the application uses the session again. Do not end a session only
   * because of this call: anybody can send unverifiable notices.
   */
  unverified?(): Promise<void>;
}
