import type { CallContext } from './request.adapter.js';

/** A caller can't imitate a context, because data from a caller has no functions. */
export const isCallContext = (given: unknown): given is CallContext =>
  typeof (Object(given) as Readonly<Record<string, unknown>>)['getArgs'] === 'function';

/**
 * Nest injects different values as `REQUEST`: undefined in jobs, the context in GraphQL, pattern and data in messages.
 */
export function checkCallOrRequest(given: unknown): void {
  const { headers } = Object(given) as Readonly<Record<string, unknown>>;
  if (isCallContext(given) || (typeof headers === 'object' && headers !== null)) return;
  throw new TypeError(
    'callerOf() needs an ExecutionContext or a request with its headers. A job, for example, has neither and so has no caller',
  );
}
