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

/** What GraphQL says of the operation: the last argument. */
export function infoOf(args: readonly unknown[]): {
  readonly variableValues?: object;
  readonly operation?: { readonly operation?: string };
} {
  return Object(args.at(-1)) as ReturnType<typeof infoOf>;
}

export const withoutRequest = (
  detail = 'The context of GraphQL has no request: keep "req" in what the option "context" returns',
): BearerError => new BearerError('route_closed', { reason: 'transport_without_headers', detail });

/** By context: the request and the execution that it was first seen with. */
const seen = new WeakMap<object, { readonly request: unknown; readonly execution: unknown }>();

/**
 * Throws `BearerError` for a context that was seen with another request: a driver whose option `context` is an object, or gives the same one
 * each time, has all operations share it, and one would run for the caller of another.
 */
export function checkNotShared(args: readonly unknown[]): void {
  const context = contextOf(args);
  const request: unknown = context.reply?.request ?? context.req;
  const execution = context.reply === undefined ? executionOf(request, args) : undefined;
  const first = seen.get(context);
  if (first === undefined) seen.set(context, { request, execution });
  const isShared = first !== undefined && (first.request !== request || first.execution !== execution);
  if (isShared || hasEnded(request)) {
    throw withoutRequest(
      'The context of GraphQL is that of another request: the option "context" must be a function that makes a new object',
    );
  }
}

/**
 * What no two operations have in common, with Apollo: each execution has an object of its own for its variables. A subscription is executed again for
 * each of its events, and parsed once. Mercurius runs the operations of a batch with one context.
 */
function executionOf(request: unknown, args: readonly unknown[]): unknown {
  const { variableValues, operation } = infoOf(args);
  return 'extra' in (Object(request) as object) ? operation : variableValues;
}

/** Of Express. */
const hasEnded = (request: unknown): boolean =>
  (Object(request) as { readonly res?: { readonly writableEnded?: boolean } }).res?.writableEnded === true;
