/** IntrospectionGuard: the one global guard. A request passes only when its route is open to it. */
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { CachedIntrospection } from '../authorization-server/cached-introspection.js';
import type { Clock } from '../caching/clock.js';
import { BearerError } from '../protocol/bearer-error.js';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import type { RevocationList } from '../revocation/revocation-list.js';
import { authorize } from './authorize.js';
import { bearerToken, checkBearerToken, type BearerRequest } from './bearer-token.js';
import { judgeAccessToken, type JudgeOptions } from './judge-access-token.js';
import { routeAccess, type RouteAccess } from './route-access.js';
import { rememberToken } from './verified-requests.js';

export interface GuardOptions extends JudgeOptions {
  readonly maxTokenBytes: number;
}

/**
 * Registered for the whole application by `KeycloakModule`. It introspects the token with this service's own
 * credentials, judges the answer, and holds it against the route's decorators.
 *
 * Throws `BearerError` for what is wrong with the caller's credentials and `AuthorizationServerError` when the
 * authorization server gave no answer. A context that is not HTTP (RPC, WebSocket, GraphQL) is refused.
 */
export class IntrospectionGuard implements CanActivate {
  constructor(
    private readonly introspection: Pick<CachedIntrospection, 'introspect' | 'known'>,
    private readonly options: GuardOptions,
    private readonly clock: Clock,
    private readonly revocations: Pick<RevocationList, 'denies'>,
  ) {}

  /** Answers at once when the token is known: to wait would cost more than all the rest. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const kind = context.getType<string>();
    if (kind !== 'http') throw new BearerError('route_closed', { reason: 'context_not_http', fields: { kind } });
    const access = routeAccess(context.getClass(), context.getHandler());
    if (access.opening === 'public') return true;
    if (access.opening === 'closed') throw new BearerError('route_closed', { reason: 'no_decorator_opens_it' });
    // What `switchToHttp().getRequest()` gives, without the object that it makes for each request.
    const request = context.getArgByIndex<BearerRequest>(0);
    const text = bearerToken(request, this.options.maxTokenBytes);
    if (text === undefined) {
      if (access.opening === 'optional') return true;
      throw new BearerError('missing_token', { reason: 'no_credentials' });
    }
    const staleness = access.maxStalenessSeconds ?? Infinity;
    const known = this.introspection.known(text, staleness);
    if (known !== undefined) return this.#admit(request, text, known, access);
    checkBearerToken(text);
    return this.introspection.introspect(text, staleness).then((answer) => this.#admit(request, text, answer, access));
  }

  #admit(request: object, text: string, answer: IntrospectionAnswer, access: RouteAccess): true {
    const token = judgeAccessToken(text, answer, this.options, this.clock, this.revocations);
    authorize(token, access);
    rememberToken(request, token);
    return true;
  }
}
