import type { AuthenticationClaims } from 'nestjs-keycloak-s2s';
import type { OpenIdTokens } from './openid-tokens.js';

export interface UserSession {
  readonly subject: string;
  /** `sid`: the id of Keycloak's session. */
  readonly sessionId: string | undefined;
  readonly username: string;
  /** The service's forms send this token back, and no other site can know it. */
  readonly csrfToken: string;
  readonly tokens: OpenIdTokens;
  readonly authentication?: AuthenticationClaims | undefined;
  /** On the clock of the store, like all times of a session. */
  readonly startedAtMs: number;
  readonly usedAtMs: number;
  readonly steppedUpAtMs?: number | undefined;
  readonly generation: number;
  /** When a refresh token was sent, until its answer arrives; 0 if no answer will arrive. */
  readonly refreshSentAtMs?: number | undefined;
  readonly refreshId?: string | undefined;
}
