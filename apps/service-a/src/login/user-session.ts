/** UserSession: the session of a logged-in user at Service A. The browser holds only its id. */
import type { AuthenticationClaims } from 'nestjs-keycloak-s2s';
import type { OpenIdTokens } from './openid-tokens.js';

export interface UserSession {
  readonly subject: string;
  /** `sid`: the id of Keycloak's session. */
  readonly sessionId: string | undefined;
  readonly username: string;
  /** Our forms send this back, and no other site can know it. */
  readonly csrfToken: string;
  readonly tokens: OpenIdTokens;
  /** From the ID token of the login. */
  readonly authentication?: AuthenticationClaims | undefined;
  /** Like all times of a session, on the clock of the store. */
  readonly startedAtMs: number;
  readonly usedAtMs: number;
  /** Set if a route had required the login. */
  readonly steppedUpAtMs?: number | undefined;
  readonly generation: number;
  /** Set while a refresh token was sent and no answer has come. 0 if no answer will come. */
  readonly refreshSentAtMs?: number | undefined;
  /** The random id of that refresh. */
  readonly refreshId?: string | undefined;
}
