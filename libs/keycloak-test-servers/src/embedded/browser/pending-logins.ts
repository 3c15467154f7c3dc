/** Logins that have begun: which browser is asked for a password, and for which request. */
import { randomBytes } from 'node:crypto';
import type { AuthorizationRequest } from './authorization-request.js';
import type { Session } from '../sessions.js';

export interface PendingLogin {
  /** In the form's address. */
  readonly sessionCode: string;
  /** In a cookie: a form that was made for another browser is not taken. */
  readonly browser: string;
  readonly request: AuthorizationRequest;
  /** Whose user shows the password once more. */
  readonly session: Session | undefined;
  isDone: boolean;
}

export class PendingLogins {
  private readonly logins = new Map<string, PendingLogin>();

  /** `browser`: what its cookie says, if it has one. */
  begin(browser: string | undefined, request: AuthorizationRequest, session: Session | undefined): PendingLogin {
    const login = { sessionCode: newKey(), browser: browser ?? newKey(), request, session, isDone: false };
    this.logins.set(login.sessionCode, login);
    return login;
  }

  find(sessionCode: string | null, browser: string | undefined): PendingLogin | undefined {
    const login = this.logins.get(sessionCode ?? '');
    return login?.browser === browser ? login : undefined;
  }
}

const newKey = (): string => randomBytes(32).toString('base64url');
