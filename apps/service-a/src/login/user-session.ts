/** UserSession: what Service A knows of a browser whose user logged in; nothing of it but the id is the browser's. */
import type { OpenIdTokens } from './openid-tokens.js';

export interface UserSession {
  readonly subject: string;
  /** `sid`: Keycloak's session. */
  readonly sessionId: string | undefined;
  /** For display only. */
  readonly username: string;
  /** What a form of ours brings back, and no other site can know. */
  readonly csrfToken: string;
  readonly tokens: OpenIdTokens;
  /** Monotonic. */
  readonly startedAtMs: number;
  readonly usedAtMs: number;
}
