import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { parseCookie, stringifySetCookie } from 'cookie';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { isAuthenticatedByToken } from './request-credential.js';

export interface CookieRequest {
  readonly headers: IncomingHttpHeaders;
}

const SESSION = 'session';
const LOGIN = 'login-';

/**
 * Every cookie is HttpOnly and belongs to this host only (no Domain). Over https, a cookie name begins with `__Host-`:
 * browsers then accept the cookie only from this host, never over http. Over plain http, browsers would refuse the
 * prefix `__Host-`.
 *
 * SameSite is Lax, not Strict, since the browser must send the cookies with the redirect back from Keycloak.
 */
@Injectable()
export class Cookies {
  readonly #secure: boolean;
  readonly #prefix: string;

  constructor(@Inject(serviceAConfig.KEY) { login }: ServiceAConfig) {
    this.#secure = login.publicUrl.startsWith('https:');
    this.#prefix = this.#secure ? '__Host-' : '';
  }

  sessionId(request: CookieRequest): string | undefined {
    return isAuthenticatedByToken(request) ? undefined : this.#read(request)[this.#prefix + SESSION];
  }

  /** The cookie lasts until the browser closes, and the server limits the lifetime of the session. */
  setSession(id: string): string {
    return this.#set(SESSION, id);
  }

  clearSession(): string {
    return this.#set(SESSION, '', 0);
  }

  /** Each pending login has a separate cookie, so tabs do not overwrite each other's cookies. */
  login(request: CookieRequest, key: string): string | undefined {
    return this.#read(request)[this.#prefix + LOGIN + key];
  }

  /** Ignores cookie names in an unknown format, which other code may have set. */
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
