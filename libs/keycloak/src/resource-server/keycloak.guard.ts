import {
  Inject,
  Injectable,
  Optional,
  type ArgumentsHost,
  type CanActivate,
  type ExecutionContext,
  type OnModuleInit,
} from '@nestjs/common';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { isAdmitted } from './verified-requests.js';
import { Admission } from './admission.guard.js';
import type { AdaptedRequest } from './request.adapter.js';

type Admitting = Pick<Admission, 'admit' | 'callerOf'>;

/**
 * `KeycloakModule.forRoot` registers this guard for the whole application. The guard verifies the token, then applies
 * the decorators of the handler. A second guard on a handler, such as `@UseGuards(KeycloakGuard)`, does not check an
 * admitted call again. A derived guard that overrides `onModuleInit` must call `super.onModuleInit()`.
 *
 * Over HTTP the token is in the `Authorization` header; elsewhere a `RequestAdapter` finds the token. If a context has
 * no `RequestAdapter`, the guard admits only calls to `@Public()` handlers.
 *
 * Throws `BearerError` for wrong credentials, and `AuthorizationServerError` if the authorization server does not
 * answer. Outside of HTTP the guard throws the exception of the transport.
 */
@Injectable()
export class KeycloakGuard implements CanActivate, OnModuleInit {
  /** Nest injects this property, so that a derived guard can define its own constructor. */
  @Optional()
  @Inject(Admission)
  private readonly admission: Admitting | undefined;

  /** Throws `Error` if the application has no `KeycloakModule`. */
  onModuleInit(): void {
    this.#found();
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (isAdmitted(context)) return true;
    return (this.admission ?? this.#found()).admit(context);
  }

  /**
   * Returns the caller's verified token, for guards, interceptors, pipes and providers. The token is verified once for
   * a request or a message. On a long-lived connection, each call of `callerOf()` verifies the token.
   *
   * Returns undefined if the caller sent no token. `callerOf()` ignores the decorators, so the guard may still refuse
   * the caller. With `enforcement: 'observe'`, `callerOf()` verifies nothing and returns undefined.
   *
   * Throws `BearerError` and `AuthorizationServerError` as the guard does. Throws `BearerError` `route_closed` for a
   * kind of context that has no request adapter. Throws `TypeError` if the value is not a context or a request.
   */
  async callerOf(of: ArgumentsHost | AdaptedRequest): Promise<VerifiedAccessToken | undefined> {
    return this.#found().callerOf(of);
  }

  #found(): Admitting {
    if (this.admission !== undefined) return this.admission;
    throw new Error(
      `${this.constructor.name} verifies nothing by itself: import KeycloakModule.forRoot in the root module, which guards every route, from the same copy of the package (npm ls nestjs-keycloak-s2s)`,
    );
  }
}
