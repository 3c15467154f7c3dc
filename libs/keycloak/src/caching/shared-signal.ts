/** Shared signal: a caller's signal, which may end any number of calls. */
import { setMaxListeners } from 'node:events';

/** Node 20, and 22 at first, warn of a leak where more than ten listen; Node's own `fetch` sees to that as well. Not 0, with which `getMaxListeners` throws there. */
export function letManyListen(signal: AbortSignal | undefined): void {
  if (signal instanceof AbortSignal) setMaxListeners(Infinity, signal);
}
