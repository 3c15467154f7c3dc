import { randomBytes } from 'node:crypto';
import type { AuthorizationRequest } from './authorization-request.js';
import type { RealmUser } from '../realm/realm-representation.js';

export interface PendingLogin {
  readonly sessionCode: string;
  /** The cookie of the browser, which binds the form to this browser. */
  readonly browser: string;
  readonly request: AuthorizationRequest;
  user: RealmUser | undefined;
  reached: number;
  readonly passed: number[];
  isDone: boolean;
}

export class PendingLogins {
  private readonly logins = new Map<string, PendingLogin>();

  begin(
    browser: string | undefined,
    request: AuthorizationRequest,
    { user, reached }: Pick<PendingLogin, 'user' | 'reached'>,
  ): PendingLogin {
    const login = {
      sessionCode: newKey(),
      browser: browser ?? newKey(),
      request,
      user,
      reached,
      passed: [],
      isDone: false,
    };
    this.logins.set(login.sessionCode, login);
    return login;
  }

  find(sessionCode: string | null, browser: string | undefined): PendingLogin | undefined {
    const login = this.logins.get(sessionCode ?? '');
    return login?.browser === browser ? login : undefined;
  }
}

const newKey = (): string => randomBytes(32).toString('base64url');
