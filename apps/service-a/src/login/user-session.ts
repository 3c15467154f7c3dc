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
  readonly authentication?: AuthenticationClaims | undefined;
  /** Like all times of a session, on the clock of the store. */
  readonly startedAtMs: number;
  readonly usedAtMs: number;
  readonly steppedUpAtMs?: number | undefined;
  readonly generation: number;
  /** Set while a refresh token was sent and no answer has come. 0 if no answer will come. */
  readonly refreshSentAtMs?: number | undefined;
  readonly refreshId?: string | undefined;
}
