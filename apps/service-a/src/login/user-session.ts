/** UserSession: the session of a logged-in user at Service A. The browser holds only its id. */
import type { OpenIdTokens } from './openid-tokens.js';

export interface UserSession {
  readonly subject: string;
  /** `sid`: the id of Keycloak's session. */
  readonly sessionId: string | undefined;
  /** For display only. */
  readonly username: string;
  /** Our forms send this back; no other site can know it. */
  readonly csrfToken: string;
  readonly tokens: OpenIdTokens;
  /** On the monotonic clock, like `usedAtMs`. */
  readonly startedAtMs: number;
  readonly usedAtMs: number;
}
