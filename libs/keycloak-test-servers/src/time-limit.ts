const timeouts = new WeakMap<AbortSignal, AbortSignal>();

/**
 * Keeps the timeout signal alive, which Node.js 20 and early 22 would collect although `AbortSignal.any` references it.
 */
export function timeLimit(ms: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(ms);
  if (signal === undefined) return timeout;
  const either = AbortSignal.any([signal, timeout]);
  timeouts.set(either, timeout);
  return either;
}
