/** PendingLogins: the logins in progress, each with its browser and authorization request. */
import { randomBytes } from 'node:crypto';
import type { AuthorizationRequest } from './authorization-request.js';
import type { RealmUser } from '../realm/realm-representation.js';

export interface PendingLogin {
  /** A parameter in the URL of the form. */
  readonly sessionCode: string;
  /** The value of the browser's cookie, which ties the form to this browser. */
  readonly browser: string;
  readonly request: AuthorizationRequest;
  /** Who must enter the password, and can't change the user name: the user of the session, or who has filled in a first form. */
  user: RealmUser | undefined;
  /** The level of authentication that was reached so far. */
  reached: number;
  /** The levels whose forms were filled in. */
  readonly passed: number[];
  isDone: boolean;
}

export class PendingLogins {
  private readonly logins = new Map<string, PendingLogin>();

  /** `browser`: the value of its cookie, if it has one. */
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
