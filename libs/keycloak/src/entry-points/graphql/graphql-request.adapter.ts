import { IntrinsicException } from '@nestjs/common';
import type { AdaptedRequest, RequestAdapter } from '../extension/index.js';
import { contextOf, withoutRequest } from './operation-context.js';
import { checkNotShared } from './shared-context.js';
import { subscriptionOf, withConnectionParams } from './subscriptions.js';

/**
 * For `forRoot({ requestAdapters: [graphqlRequestAdapter()] })`: protects queries, mutations and subscriptions, and
 * field and reference resolvers if `fieldResolverEnhancers` has `'guards'`. A query or mutation uses the token of its
 * HTTP request. A subscription uses the token of the handshake, or `authorization` in the connection parameters.
 *
 * A refusal is an error with `extensions.code` (`RefusalCode`) and, for `insufficient_scope`, `extensions.permission`.
 *
 * An operation is refused (`route_closed`) if it shares its context with another request. The driver's option `context`
 * must be a function that returns a new object each time; with an object, the application does not start.
 *
 * It does NOT protect parts for which Nest does not run guards: introspection (`__schema`), fields without a resolver,
 * `__resolveType`.
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

/** `reply` goes first: Mercurius sets it for each operation, while `req` comes from the option `context`. */
function requestIn({ req, reply }: ReturnType<typeof contextOf>): AdaptedRequest {
  const request = reply?.request ?? req;
  if (request === undefined) throw withoutRequest();
  return request;
}

/**
 * Does not extend `GraphQLError`, since the package graphql may be installed twice. Nest does not log an
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
