import { setMaxListeners } from 'node:events';

/**
 * Node 20 and early Node 22 print a leak warning for more than ten listeners. The limit is `Infinity` and not 0,
 * because `getMaxListeners` throws for 0 in Node 20 and early Node 22.
 */
export function letManyListen(signal: AbortSignal | undefined): void {
  if (signal instanceof AbortSignal) setMaxListeners(Infinity, signal);
}
