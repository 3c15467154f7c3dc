/** PendingLogouts: the logouts that a user must confirm. */
import { randomBytes } from 'node:crypto';
import type { Session } from './sessions.js';

export interface PendingLogout {
  readonly session: Session | undefined;
  readonly postLogoutRedirectUri: string | undefined;
  /** The same, with the state of the client. */
  readonly returnTo: string | undefined;
  /** The client that asks for it. */
  readonly clientId: string | undefined;
}

/** Each can be confirmed once, in the browser that showed the page. */
export class PendingLogouts {
  private readonly logouts = new Map<string, PendingLogout>();

  begin(logout: PendingLogout): string {
    const sessionCode = randomBytes(32).toString('base64url');
    this.logouts.set(sessionCode, logout);
    return sessionCode;
  }

  take(sessionCode: string): PendingLogout | undefined {
    const logout = this.logouts.get(sessionCode);
    this.logouts.delete(sessionCode);
    return logout;
  }
}
