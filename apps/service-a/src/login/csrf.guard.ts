import { timingSafeEqual } from 'node:crypto';
import {
  ForbiddenException,
  Inject,
  Injectable,
  SetMetadata,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { needsNoDns } from 'service-defaults';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { isAuthenticatedByToken } from './request-credential.js';
import { Cookies, type CookieRequest } from './cookies.js';
import { UserSessions } from './user-sessions.js';

interface UnsafeRequest extends CookieRequest {
  readonly method: string;
  readonly body?: unknown;
}

export const CSRF_FIELD = 'csrf_token';
const CSRF_HEADER = 'x-csrf-token';

export const CROSS_SITE = {
  error: 'The request did not come from a page of this service',
  code: 'cross_site',
} as const;

const EXEMPT = Symbol('service-a:csrf-exempt');
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Marks a route that needs no CSRF check, since the request body proves which party sent the request. */
export const CsrfExempt = (): MethodDecorator => SetMetadata(EXEMPT, true);

/**
 * An unsafe request must come from a page of this origin, according to `Sec-Fetch-Site`. Older browsers do not send
 * this header, and over plain http, browsers send it only to localhost. Without `Sec-Fetch-Site`, the guard checks
 * `Origin`, which a form sends.
 *
 * A request that a token authenticates needs no check, since no browser adds tokens automatically. For a request with a
 * token, the service ignores the session.
 */
@Injectable()
export class CsrfGuard implements CanActivate {
  readonly #origin: string;

  constructor(
    @Inject(serviceAConfig.KEY) { login }: ServiceAConfig,
    private readonly cookies: Cookies,
    private readonly sessions: UserSessions,
    private readonly reflector: Reflector,
  ) {
    this.#origin = login.publicUrl;
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<UnsafeRequest>();
    if (SAFE.has(request.method) || isAuthenticatedByToken(request)) return true;
    if (this.reflector.get<boolean | undefined>(EXEMPT, context.getHandler()) === true) return true;
    return this.#check(request);
  }

  async #check(request: UnsafeRequest): Promise<boolean> {
    if (!this.#isSameOrigin(request)) throw refused();
    const session = await this.sessions.find(this.cookies.sessionId(request));
    // Another site can misuse only requests with a session.
    if (session !== undefined && !equal(tokenOf(request), session.csrfToken)) throw refused();
    return true;
  }

  #isSameOrigin({ headers }: UnsafeRequest): boolean {
    const site = headers['sec-fetch-site'];
    if (site === undefined) return headers.origin === this.#origin;
    return site === 'same-origin' && this.#isOurs(headers.origin);
  }

  /**
   * `same-origin` proves only that page and request have the same host name, which an attacker's DNS may resolve to
   * this service. An attacker's page can hide the origin, but gets no session cookie. In demo mode anonymous visitors
   * may act, so the service refuses unknown host names.
   */
  #isOurs(origin: string | undefined): boolean {
    if (origin === undefined || origin === 'null' || origin === this.#origin) return true;
    return URL.canParse(origin) && needsNoDns(new URL(origin).host);
  }
}

function tokenOf({ headers, body }: UnsafeRequest): unknown {
  if (typeof body === 'object' && body !== null && CSRF_FIELD in body) return body[CSRF_FIELD];
  return headers[CSRF_HEADER];
}

function equal(given: unknown, expected: string): boolean {
  if (typeof given !== 'string') return false;
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function refused(): ForbiddenException {
  return new ForbiddenException({ ...CROSS_SITE });
}
