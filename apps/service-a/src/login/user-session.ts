import type { AuthenticationClaims } from 'nestjs-keycloak-s2s';
import type { OpenIdTokens } from './openid-tokens.js';

export interface UserSession {
  readonly subject: string;
  readonly sessionId: string | undefined;
  readonly username: string;
  /** The forms of the service send this token, which no other site can know. */
  readonly csrfToken: string;
  readonly tokens: OpenIdTokens;
  readonly authentication?: AuthenticationClaims | undefined;
  /** All times of a session are on the clock of the store. */
  readonly startedAtMs: number;
  readonly usedAtMs: number;
  readonly steppedUpAtMs?: number | undefined;
  readonly generation: number;
  /** The time of a refresh request whose answer is pending. The value 0 means that no answer will arrive. */
  readonly refreshSentAtMs?: number | undefined;
  readonly refreshId?: string | undefined;
}
