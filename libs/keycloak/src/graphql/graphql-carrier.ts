/** GraphQL carrier: finds the request of an operation, whichever driver runs it, and gives refusals the form of GraphQL errors. */
import { BearerError, type CarriedRequest, type CredentialCarrier } from '../ports/credential-carrier.js';
import { subscriptionSocket, withConnectionParams, type GraphqlWsContext } from './subscriptions.js';

/** What Nest's drivers put into the context of an operation. */
interface OperationContext {
  /** Apollo's: the HTTP request; of a subscription the context of graphql-ws. */
  readonly req?: CarriedRequest | GraphqlWsContext;
  /** Mercurius' */
  readonly reply?: { readonly request?: CarriedRequest };
  /** Mercurius', of a subscription. */
  readonly request?: CarriedRequest;
  readonly _connectionInit?: unknown;
}

/**
 * For `forRoot({ carriers: [graphqlCarrier()] })`: queries, mutations, subscriptions, and field and reference resolvers where
 * `fieldResolverEnhancers` has `'guards'`. Of a query or mutation the token is that of the HTTP request, judged once for all its operations; of a
 * subscription that of the handshake, or `authorization` of its connection parameters.
 *
 * A refusal is an error with `extensions.code` (`RefusalCode`) and, with `insufficient_scope`, `extensions.permission`. The answer's status
 * stays the driver's: GraphQL has one for all operations.
 *
 * It does NOT close what Nest runs no guard for: introspection (`__schema`), fields without a resolver of their own, `__resolveType`.
 */
export function graphqlCarrier(): CredentialCarrier {
  return {
    kind: 'graphql',
    callOf: contextOf,
    requestOf(args) {
      const { req, reply, request, _connectionInit } = contextOf(args);
      // Mercurius gives all operations one context when its option `context` is an object, with the `req` of the first.
      const found = reply?.request ?? req;
      if (found === undefined) throw withoutRequest();
      if ('extra' in found) return withConnectionParams(found.extra.request, found.connectionParams);
      return request === undefined ? found : withConnectionParams(found, _connectionInit);
    },
    toException({ body: { error, ...extensions } }) {
      return new GraphqlRefusal(error, extensions);
    },
    connectionOf: (args) => subscriptionSocket(contextOf(args)),
  };
}

/** GraphQL takes the `extensions` of whatever error a resolver throws. Of the package graphql there may be two copies, so it is none of its errors. */
class GraphqlRefusal extends Error {
  override readonly name = 'GraphqlRefusal';

  constructor(
    message: string,
    readonly extensions: Readonly<Record<string, unknown>>,
  ) {
    super(message);
  }
}

/** The third argument of a resolver; the second of a reference resolver, which has no arguments of its own. */
function contextOf(args: readonly unknown[]): OperationContext & object {
  const context = args.length === 3 ? args[1] : args[2];
  if (typeof context === 'object' && context !== null) return context;
  throw withoutRequest();
}

const withoutRequest = (): BearerError =>
  new BearerError('route_closed', {
    reason: 'transport_without_headers',
    detail: 'The context of GraphQL has no request: keep "req" in what the option "context" returns',
  });
