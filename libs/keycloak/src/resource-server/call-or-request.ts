import type { CallContext } from './request.adapter.js';

/** Data from a caller can't be mistaken for a context, because it has no functions. */
export const isCallContext = (given: unknown): given is CallContext =>
  typeof (Object(given) as Readonly<Record<string, unknown>>)['getArgs'] === 'function';

/**
 * The value of `REQUEST` is undefined in a job, the context in GraphQL, and an object with pattern and data in a
 * message.
 */
export function checkCallOrRequest(given: unknown): void {
  const { headers } = Object(given) as Readonly<Record<string, unknown>>;
  if (isCallContext(given) || (typeof headers === 'object' && headers !== null)) return;
  throw new TypeError(
    'callerOf() needs an ExecutionContext or a request with its headers. A job, for example, has neither and so has no caller',
  );
}
