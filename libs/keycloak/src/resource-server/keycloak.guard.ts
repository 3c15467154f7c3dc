/** KeycloakGuard: the global guard, which admits a call only if the decorators of its handler allow it. */
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

/**
 * `KeycloakModule.forRoot` registers it for the whole application. If the decorators of a handler require a token, it
 * introspects the token or checks its signature, as the option `verification` and `@TokenVerification()` say. It
 * introspects with this service's own credentials. Then it checks the result against the decorators.
 *
 * `@UseGuards(KeycloakGuard)`, a second `APP_GUARD` and derived guards have no further effect: a call that one guard
 * has admitted for a handler is not checked again. They also need `KeycloakModule.forRoot`; without it the application
 * does not start. A derived guard that overrides `onModuleInit` must call `super.onModuleInit()`.
 *
 * Over HTTP the token is in the `Authorization` header. For other kinds of context a `RequestAdapter` finds it; without
 * one the guard refuses handlers that require a token.
 *
 * Throws `BearerError` if the caller's credentials are wrong, and `AuthorizationServerError` if the authorization
 * server does not answer. Outside of HTTP it throws the exception of the transport.
 */
@Injectable()
export class KeycloakGuard implements CanActivate, OnModuleInit {
  /** A property, so that a derived guard can define its own constructor. */
  @Optional()
  @Inject(Admission)
  private readonly admission: Admission | undefined;

  /** Throws `Error` if the application has no `KeycloakModule`. */
  onModuleInit(): void {
    this.#found();
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    // Another guard of this class admitted the same run of the handler.
    if (isAdmitted(context)) return true;
    return (this.admission ?? this.#found()).admit(context);
  }

  /**
   * Returns the verified token of the caller, for guards, interceptors, pipes and providers of the application, in any
   * order. Pass the context, or the request of Express or Fastify.
   *
   * The token is verified once for a request or a message, and the guard reuses the result unless the handler requires
   * more than the option `verification`. On a long-lived connection (a WebSocket, a subscription, a gRPC stream) it is
   * verified each time.
   *
   * Returns undefined if no token was sent. It does not check the decorators, so the guard may still refuse the caller.
   * On a `@Public()` handler it also verifies a token that was sent.
   *
   * Throws `BearerError` and `AuthorizationServerError` for a bad token, as the guard does. Throws `BearerError`
   * `route_closed` for a context whose kind has no request adapter. Throws `TypeError` for a value that is neither a
   * context nor a request, such as the value that Nest injects by `REQUEST` outside of HTTP.
   */
  async callerOf(of: ArgumentsHost | AdaptedRequest): Promise<VerifiedAccessToken | undefined> {
    return this.#found().callerOf(of);
  }

  #found(): Admission {
    if (this.admission !== undefined) return this.admission;
    throw new Error(
      `${this.constructor.name} judges nothing by itself: import KeycloakModule.forRoot in the root module, which guards every route, from the same copy of the package (npm ls nestjs-keycloak-s2s)`,
    );
  }
}
