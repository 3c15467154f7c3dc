import { setMaxListeners } from 'node:events';

/**
 * Node 20 and early Node 22 warn of a leak at more than ten listeners. With the limit 0, `getMaxListeners` would throw
 * in these Node versions.
 */
export function letManyListen(signal: AbortSignal | undefined): void {
  if (signal instanceof AbortSignal) setMaxListeners(Infinity, signal);
}
