/** Operation context: what Nest's drivers put beside an operation, and whether it is of that operation alone. */
import { BearerError, type CarriedRequest } from '../ports/credential-carrier.js';

export interface OperationContext {
  /** Apollo's: the HTTP request; of a subscription the context of graphql-ws. */
  readonly req?: CarriedRequest;
  /** Mercurius'. */
  readonly reply?: { readonly request?: CarriedRequest };
}

/** The third argument of a resolver; the second of a reference resolver, which has no arguments of its own. */
export function contextOf(args: readonly unknown[]): OperationContext & object {
  const context = args.length === 3 ? args[1] : args[2];
  if (typeof context === 'object' && context !== null) return context;
  throw withoutRequest();
}

/** Whether GraphQL says that the operation is a subscription: by the last argument. */
export function isSubscription(args: readonly unknown[]): boolean {
  const { operation } = Object(args.at(-1)) as { readonly operation?: { readonly operation?: string } };
  return operation?.operation === 'subscription';
}

export const withoutRequest = (
  detail = 'The context of GraphQL has no request: keep "req" in what the option "context" returns',
): BearerError => new BearerError('route_closed', { reason: 'transport_without_headers', detail });

/** By context: the request that it was first seen with. */
const requests = new WeakMap<object, unknown>();
/** By HTTP request: the contexts that it was seen in. */
const contexts = new WeakMap<object, Set<object>>();

/**
 * Throws `BearerError` for a context that has the request of another operation: where the option `context` gives the same object each time, all
 * operations share it, and one would run for the caller of another. That it is an object is found at the start.
 *
 * Mercurius gives each its request, in the one object. Apollo makes a copy of it for each operation, with the request of the first: one request is then
 * seen in more copies than it has operations.
 */
export function checkNotShared(args: readonly unknown[]): void {
  const context = contextOf(args);
  const request: unknown = context.reply?.request ?? context.req;
  if (!requests.has(context)) requests.set(context, request);
  if (requests.get(context) !== request || isWornOut(request, context)) {
    throw new BearerError('route_closed', {
      reason: 'context_shared',
      detail:
        'The context of GraphQL has the request of another operation: the option "context" must be a function that makes a new object',
    });
  }
}

function isWornOut(request: unknown, context: OperationContext & object): boolean {
  if (typeof request !== 'object' || request === null) return false;
  // Over a WebSocket there may be any number.
  if (context.reply !== undefined || 'extra' in request || 'extra' in context) return false;
  const seen = contexts.get(request) ?? new Set<object>();
  contexts.set(request, seen);
  seen.add(context);
  const { body, res } = request as { readonly body?: unknown; readonly res?: { readonly writableEnded?: boolean } };
  return res?.writableEnded === true || seen.size > (Array.isArray(body) ? body.length : 1);
}
