import { randomUUID } from 'node:crypto';
import type { AdjustableClock } from './adjustable-clock.js';
import type { AuthorizationRequest } from './authorization-request.js';
import type { Realm } from '../realm/realm.js';
import type { Session, Sessions } from './sessions.js';

export interface GrantedCode {
  readonly request: AuthorizationRequest;
  readonly session: Session;
}

export class AuthorizationCodes {
  private readonly codes = new Map<string, GrantedCode & { readonly expiresAt: number; isUsed: boolean }>();

  constructor(
    private readonly sessions: Sessions,
    private readonly realm: Realm,
    private readonly clock: AdjustableClock,
  ) {}

  issue(granted: GrantedCode): string {
    const code = `${randomUUID()}.${granted.session.sid}.${randomUUID()}`;
    this.codes.set(code, {
      ...granted,
      expiresAt: this.clock.now() + this.realm.settings.accessCodeLifespan,
      isUsed: false,
    });
    return code;
  }

  /**
   * A second use of a code may mean theft, so the client's tokens of the session become invalid (RFC 6749 §4.1.2,
   * §10.5).
   */
  redeem(code: string): GrantedCode | undefined {
    const granted = this.codes.get(code);
    if (granted === undefined || this.sessions.find(granted.session.sid) === undefined) return undefined;
    if (granted.isUsed || granted.expiresAt <= this.clock.now()) {
      this.sessions.leave(granted.session, granted.request.client.clientId);
      return undefined;
    }
    granted.isUsed = true;
    return granted;
  }
}
