import { setMaxListeners } from 'node:events';

/**
 * Node 20 and early Node 22 warn of a leak at more than ten listeners. Not 0: `getMaxListeners` then throws in these
 * versions.
 */
export function letManyListen(signal: AbortSignal | undefined): void {
  if (signal instanceof AbortSignal) setMaxListeners(Infinity, signal);
}
