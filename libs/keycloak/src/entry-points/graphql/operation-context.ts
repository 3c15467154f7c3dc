import type { CallContext, AdaptedRequest } from '../extension/index.js';
import { BearerError } from '../ports/request-adapter.js';

export interface OperationContext {
  readonly req?: AdaptedRequest;
  readonly reply?: { readonly request?: AdaptedRequest };
}

/**
 * Returns the GraphQL context, which is the third argument of a resolver. Reference resolvers get no `args`, so their
 * context is the second argument.
 */
export function contextOf(call: CallContext): OperationContext & object {
  const args = call.getArgs<unknown[]>();
  const context = args.length === 3 ? args[1] : args[2];
  if (typeof context === 'object' && context !== null) return context;
  throw withoutRequest();
}

export function isSubscription(call: CallContext): boolean {
  const { operation } = Object(call.getArgs().at(-1)) as { readonly operation?: { readonly operation?: string } };
  return operation?.operation === 'subscription';
}

export const withoutRequest = (
  detail = 'The context of GraphQL has no request. Keep "req" in the object that the option "context" returns',
): BearerError => new BearerError('route_closed', { reason: 'transport_without_headers', detail });
