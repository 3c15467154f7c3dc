/** timeLimit(): a signal that aborts after a time, or with another one before. */

/** The time-out of each signal here, which lives as long. */
const timeouts = new WeakMap<AbortSignal, AbortSignal>();

/** Node 20, and 22 at first, hold a time-out that is known to `AbortSignal.any` alone no longer than until the next garbage collection: it never aborts. */
export function timeLimit(ms: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(ms);
  if (signal === undefined) return timeout;
  const either = AbortSignal.any([signal, timeout]);
  timeouts.set(either, timeout);
  return either;
}
