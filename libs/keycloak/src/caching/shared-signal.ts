import { setMaxListeners } from 'node:events';

/**
 * Node 20 and early Node 22 print a leak warning for more than ten listeners. The limit is `Infinity` and not 0,
 * because with 0 `getMaxListeners` would throw in these Node versions.
 */
export function letManyListen(signal: AbortSignal | undefined): void {
  if (signal instanceof AbortSignal) setMaxListeners(Infinity, signal);
}
