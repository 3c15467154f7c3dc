import { randomBytes } from 'node:crypto';
import type { Session } from './sessions.js';

export interface PendingLogout {
  readonly session: Session | undefined;
  readonly postLogoutRedirectUri: string | undefined;
  readonly returnTo: string | undefined;
  readonly clientId: string | undefined;
}

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
