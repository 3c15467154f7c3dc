/** Call or request: the two things that `callerOf()` can be asked about. */
import type { CallContext } from './request.adapter.js';

/** Whether it is a context of Nest, and not a request. Data that a caller sent has no functions. */
export const isCallContext = (given: unknown): given is CallContext =>
  typeof (Object(given) as Readonly<Record<string, unknown>>)['getArgs'] === 'function';

/**
 * Throws `TypeError` for anything else. The value that Nest injects by `REQUEST` is undefined in a job, a context in GraphQL, and pattern and data in a
 * message.
 */
export function checkCallOrRequest(given: unknown): void {
  const { headers } = Object(given) as Readonly<Record<string, unknown>>;
  if (isCallContext(given) || (typeof headers === 'object' && headers !== null)) return;
  throw new TypeError(
    'callerOf() takes an ExecutionContext, or a request with its headers: where there is neither, as in a job, there is no caller to ask for',
  );
}
