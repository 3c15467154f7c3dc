import type { CallContext } from '../extension/index.js';
import { BearerError } from '../ports/request-adapter.js';
import { contextOf, type OperationContext } from './operation-context.js';
import { webSocketOf } from './subscriptions.js';

const requests = new WeakMap<object, unknown>();
const contexts = new WeakMap<object, Set<object>>();

/**
 * Throws `BearerError` if operations share a context, since an operation could run for the caller of another operation.
 *
 * Mercurius sets the request of each operation on a shared context object. Apollo gives each operation a copy of the
 * context object, and each copy contains the first request.
 */
export function checkNotShared(call: CallContext): void {
  const context = contextOf(call);
  const request: unknown = context.reply?.request ?? context.req;
  if (!requests.has(context)) requests.set(context, request);
  if (requests.get(context) !== request || isWornOut(request, context)) {
    throw new BearerError('route_closed', {
      reason: 'context_shared',
      detail:
        'The context of GraphQL has the request of another operation. The option "context" must be a function that returns a new object',
    });
  }
}

function isWornOut(request: unknown, context: OperationContext & object): boolean {
  if (typeof request !== 'object' || request === null) return false;
  // The request of a WebSocket may have any number of operations.
  if (context.reply !== undefined || webSocketOf(context) !== undefined) return false;
  const seen = contexts.get(request) ?? new Set<object>();
  contexts.set(request, seen);
  seen.add(context);
  const { body, res } = request as { readonly body?: unknown; readonly res?: { readonly writableEnded?: boolean } };
  return res?.writableEnded === true || seen.size > (Array.isArray(body) ? body.length : 1);
}
