/** IntrospectionGuard: the one global guard. A request passes only when its route is open to it. */
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { BearerError } from '../protocol/bearer-error.js';
import { Refusal } from '../protocol/refusal.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { AccessTokenVerifier } from './access-token-verifier.js';
import { markAdmitted } from './admitted-contexts.js';
import { authorize } from './authorize.js';
import { bearerToken, type BearerRequest } from './bearer-token.js';
import type { RefusalFilter } from './refusal.filter.js';
import { routeAccess, type RouteAccess } from './route-access.js';
import { rememberToken, tokenVerifiedBy } from './verified-requests.js';

/**
 * Registered for the whole application by `KeycloakModule`. It introspects the token with this service's own
 * credentials, judges the answer, and holds it against the route's decorators. A token is verified once for a request, and
 * authorized for every class and handler that runs for it.
 *
 * Throws `BearerError` for what is wrong with the caller's credentials and `AuthorizationServerError` when the
 * authorization server gave no answer. A context that is not HTTP (RPC, WebSocket, GraphQL) is refused.
 */
export class IntrospectionGuard implements CanActivate {
  constructor(
    private readonly verifier: AccessTokenVerifier,
    private readonly maxTokenBytes: number,
    private readonly refusals: Pick<RefusalFilter, 'tell'>,
  ) {}

  /** Answers at once when the answer about the token is cached (perf: guard-overhead). */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    try {
      const admitted = this.#judge(context);
      return admitted instanceof Promise ? admitted.catch((error: unknown) => this.#refuse(error, context)) : admitted;
    } catch (error) {
      return this.#refuse(error, context);
    }
  }

  #refuse(error: unknown, context: ExecutionContext): never {
    if (error instanceof Refusal) this.refusals.tell(error, context);
    throw error;
  }

  #judge(context: ExecutionContext): boolean | Promise<boolean> {
    const kind = context.getType<string>();
    if (kind !== 'http') throw new BearerError('route_closed', { reason: 'context_not_http', fields: { kind } });
    const access = routeAccess(context.getClass(), context.getHandler());
    if (access.opening === 'public') return markAdmitted(context);
    if (access.opening === 'closed') {
      throw new BearerError('route_closed', {
        reason: access.fault === undefined ? 'no_decorator_opens_it' : 'access_unclear',
      });
    }
    // `switchToHttp().getRequest()` without its object (perf: guard-overhead).
    const request = context.getArgByIndex<BearerRequest>(0);
    const maxStaleness = access.maxStalenessSeconds;
    // Of a handler that ran before this one, for the same request.
    const verified = tokenVerifiedBy(this, request);
    if (verified !== undefined && maxStaleness === undefined) return this.#admit(context, request, verified, access);
    const text = bearerToken(request, this.maxTokenBytes);
    if (text === undefined) {
      if (access.opening === 'optional') return markAdmitted(context);
      throw new BearerError('missing_token', { reason: 'no_credentials' });
    }
    const judged = this.verifier.judge(text, maxStaleness ?? Infinity);
    return judged instanceof Promise
      ? judged.then((token) => this.#admit(context, request, token, access))
      : this.#admit(context, request, judged, access);
  }

  #admit(context: ExecutionContext, request: object, token: VerifiedAccessToken, access: RouteAccess): true {
    authorize(token, access);
    rememberToken(this, request, token);
    return markAdmitted(context);
  }
}
