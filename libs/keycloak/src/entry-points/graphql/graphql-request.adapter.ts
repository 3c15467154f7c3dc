/** GraphQL adapter: finds the request of an operation in any driver, and gives refusals the form of GraphQL errors. */
import { IntrinsicException } from '@nestjs/common';
import type { AdaptedRequest, RequestAdapter } from '../extension/index.js';
import { contextOf, withoutRequest } from './operation-context.js';
import { checkNotShared } from './shared-context.js';
import { subscriptionOf, withConnectionParams } from './subscriptions.js';

/**
 * For `forRoot({ requestAdapters: [graphqlRequestAdapter()] })`: queries, mutations, subscriptions, and field and reference resolvers where
 * `fieldResolverEnhancers` has `'guards'`. Of a query or mutation the token is that of the HTTP request, judged once for all its operations; of a
 * subscription that of the handshake, or `authorization` of its connection parameters.
 *
 * A refusal is an error with `extensions.code` (`RefusalCode`) and, with `insufficient_scope`, `extensions.permission`. The answer's status
 * stays the driver's: GraphQL has one for all operations.
 *
 * An operation whose context is shared with another request is refused (`route_closed`): the option `context` of the driver must be a
 * function that makes a new object.
 *
 * It does NOT close what Nest runs no guard for: introspection (`__schema`), fields without a resolver of their own, `__resolveType`.
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

/** Mercurius' own is that of this very operation; `req` is what the option `context` gave. */
function requestIn({ req, reply }: ReturnType<typeof contextOf>): AdaptedRequest {
  const request = reply?.request ?? req;
  if (request === undefined) throw withoutRequest();
  return request;
}

/**
 * GraphQL takes the `extensions` of whatever error a resolver throws. Of the package graphql there may be two copies, so it is none of its errors;
 * Nest logs none that is intrinsic.
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
