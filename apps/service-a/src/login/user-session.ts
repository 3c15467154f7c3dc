/** UserSession: the session of a logged-in user at Service A. The browser holds only its id. */
import type { AuthenticationClaims } from 'nestjs-keycloak-s2s';
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
  /** How and when the user logged in, by the ID token of that login. */
  readonly authentication?: AuthenticationClaims | undefined;
  /** On the clock of the store, as all times of a session. */
  readonly startedAtMs: number;
  readonly usedAtMs: number;
  /** When it was begun, if by a login that a route had demanded. */
  readonly steppedUpAtMs?: number | undefined;
  /** Counts the refreshes that were begun. */
  readonly generation: number;
  /** When the refresh token was sent, as long as there is no answer; 0 where none will come. */
  readonly refreshSentAtMs?: number | undefined;
  /** Who sent it: random, for that one refresh. */
  readonly refreshId?: string | undefined;
}
