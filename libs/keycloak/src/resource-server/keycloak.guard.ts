/** KeycloakGuard: the guard of all routes. A request passes only when its route is open to it. */
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
 * `KeycloakModule.forRoot` registers it for the whole application. It reads what the decorators of the handler say, in every kind of context. Where
 * they demand a token, it introspects the token that came with the call, with this service's own credentials, or checks its signature, as the option
 * `verification` and `@TokenVerification()` say. It judges the result, and holds it against the decorators.
 *
 * `@UseGuards(KeycloakGuard)`, a second `APP_GUARD` and derived guards need `KeycloakModule.forRoot`, too, and add nothing to it: a call that one
 * guard has admitted for a handler is not judged again. Without `KeycloakModule.forRoot` the application does not start. A derived guard that
 * overrides `onModuleInit` calls that of this class.
 *
 * Over HTTP the token is in the `Authorization` header. For other kinds a `RequestAdapter` finds it; a handler that demands a token in a kind
 * without a request adapter is refused.
 *
 * Throws `BearerError` if the caller's credentials are wrong, and `AuthorizationServerError` if the authorization server gave no answer; outside of
 * HTTP the exception of the transport.
 */
@Injectable()
export class KeycloakGuard implements CanActivate, OnModuleInit {
  /** A property, so that a derived guard has its constructor for itself. */
  @Optional()
  @Inject(Admission)
  private readonly admission: Admission | undefined;

  /** Throws `Error` if the application has no `KeycloakModule`. */
  onModuleInit(): void {
    this.#found();
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    // By another guard of this class, for the same run of the handler.
    if (isAdmitted(context)) return true;
    return (this.admission ?? this.#found()).admit(context);
  }

  /**
   * Returns the caller of a call, for guards, interceptors, pipes and providers of the application. It does not matter which of them
   * runs first. The token is judged when the caller is asked for, and once for a request or a message. The guard itself uses the same
   * result, unless the handler demands more than the option `verification`. For a call over a connection that lasts (a WebSocket, a
   * subscription, a stream of gRPC) the token is judged each time. Give it the context, or the request of Express or Fastify.
   *
   * Undefined when no token was sent. It does not check the decorators, so the caller it returns may still be refused by the guard. On
   * a `@Public()` handler it also judges a token that was sent.
   *
   * Throws `BearerError` and `AuthorizationServerError` for a bad token, as the guard does. Throws `BearerError` `route_closed` for a context whose kind
   * has no request adapter. Throws `TypeError` for a value that is neither a context nor a request: it can't tell whether a token came with it. The value that
   * Nest injects by `REQUEST` outside of HTTP is an example.
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
