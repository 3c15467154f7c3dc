/** PendingLogins: the logins in progress, each with its browser and authorization request. */
import { randomBytes } from 'node:crypto';
import type { AuthorizationRequest } from './authorization-request.js';
import type { Session } from '../sessions.js';

export interface PendingLogin {
  /** A parameter in the URL of the form. */
  readonly sessionCode: string;
  /** The value of the browser's cookie, which ties the form to this browser. */
  readonly browser: string;
  readonly request: AuthorizationRequest;
  /** The session whose user must enter the password again. */
  readonly session: Session | undefined;
  isDone: boolean;
}

export class PendingLogins {
  private readonly logins = new Map<string, PendingLogin>();

  /** `browser`: the value of its cookie, if it has one. */
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
