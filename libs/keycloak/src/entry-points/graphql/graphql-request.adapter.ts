import { IntrinsicException } from '@nestjs/common';
import type { AdaptedRequest, RequestAdapter } from '../extension/index.js';
import { contextOf, withoutRequest } from './operation-context.js';
import { checkNotShared } from './shared-context.js';
import { subscriptionOf, withConnectionParams } from './subscriptions.js';

/**
 * Protects queries, mutations and subscriptions, for `forRoot({ requestAdapters: [graphqlRequestAdapter()] })`. With
 * `'guards'` in `fieldResolverEnhancers`, also protects field and reference resolvers. A query or mutation uses the
 * token of the HTTP request. A subscription uses the token of the handshake, or `authorization` in the connection
 * parameters.
 *
 * A refusal is an error with `extensions.code` (`RefusalCode`) and, for `insufficient_scope`, `extensions.permission`.
 *
 * The guard refuses an operation that shares the context of another request (`route_closed`). The driver's option
 * `context` must be a function that returns a new object each time; with an object, the application does not start.
 *
 * Does NOT protect introspection (`__schema`), fields without a resolver, and `__resolveType`: Nest runs no guards for
 * them.
 */
export function graphqlRequestAdapter(): RequestAdapter {
  return {
    kind: 'graphql',
    callOf: contextOf,
    begin: checkNotShared,
    requestOf(call) {
      const context = contextOf(call);
      const subscription = subscriptionOf(call);
      if (subscription !== undefined) return withConnectionParams(subscription.handshake, subscription.parameters);
      return requestIn(context);
    },
    toException({ body: { error, ...extensions } }) {
      return new GraphqlRefusal(error, extensions);
    },
    connectionOf: (call) => subscriptionOf(call)?.connection,
  };
}

/** Prefers the request of `reply`, since Mercurius sets `reply` for each operation. */
function requestIn({ req, reply }: ReturnType<typeof contextOf>): AdaptedRequest {
  const request = reply?.request ?? req;
  if (request === undefined) throw withoutRequest();
  return request;
}

/**
 * The error does not extend `GraphQLError`, since the package graphql may be installed twice. Nest does not log an
 * `IntrinsicException`, so callers can't fill the log.
 */
class GraphqlRefusal extends IntrinsicException {
  override readonly name = 'GraphqlRefusal';

  constructor(
    message: string,
    readonly extensions: Readonly<Record<string, unknown>>,
  ) {
    super(message);
  }
}
