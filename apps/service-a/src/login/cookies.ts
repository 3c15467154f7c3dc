/** Cookies: the names and attributes of the two kinds that Service A sets, and what a request brings of them. */
import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { parseCookie, stringifySetCookie } from 'cookie';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { actsByToken } from './acting-credential.js';

export interface CookieRequest {
  readonly headers: IncomingHttpHeaders;
}

const SESSION = 'session';
const LOGIN = 'login-';

/**
 * Every cookie is HttpOnly, for the whole host and no other (no Domain). Over https its name begins with `__Host-`, which
 * has the browser refuse it from anybody else and over http; on plain http, for localhost, browsers take no such name.
 *
 * SameSite is Lax, not Strict: the way back from Keycloak is a navigation from another site, and it must find both.
 */
@Injectable()
export class Cookies {
  readonly #secure: boolean;
  readonly #prefix: string;

  constructor(@Inject(serviceAConfig.KEY) { login }: ServiceAConfig) {
    this.#secure = login.publicUrl.startsWith('https:');
    this.#prefix = this.#secure ? '__Host-' : '';
  }

  /** The id of the session that the request acts by, whatever it is worth; undefined when it acts by a token. */
  sessionId(request: CookieRequest): string | undefined {
    return actsByToken(request) ? undefined : this.#read(request)[this.#prefix + SESSION];
  }

  /** Ends with the browser; how long it is worth something is the server's to say. */
  setSession(id: string): string {
    return this.#set(SESSION, id);
  }

  clearSession(): string {
    return this.#set(SESSION, '', 0);
  }

  /** One for each login that is under way, so that tabs don't overwrite each other's. */
  login(request: CookieRequest, key: string): string | undefined {
    return this.#read(request)[this.#prefix + LOGIN + key];
  }

  /** The keys of all logins that are under way in this browser. Whoever else sets cookies here may give them any name. */
  loginKeys(request: CookieRequest): string[] {
    const prefix = this.#prefix + LOGIN;
    return Object.keys(this.#read(request))
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length))
      .filter((key) => /^[\w-]+$/.test(key));
  }

  setLogin(key: string, value: string, maxAgeSeconds: number): string {
    return this.#set(LOGIN + key, value, maxAgeSeconds);
  }

  clearLogin(key: string): string {
    return this.#set(LOGIN + key, '', 0);
  }

  #read({ headers }: CookieRequest): Readonly<Record<string, string | undefined>> {
    // Values that can't be decoded are left as they are: they will match nothing.
    return parseCookie(headers.cookie ?? '', { decode: (value) => value });
  }

  #set(name: string, value: string, maxAge?: number): string {
    return stringifySetCookie({
      name: this.#prefix + name,
      value,
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: this.#secure,
      ...(maxAge === undefined ? {} : { maxAge }),
    });
  }
}
