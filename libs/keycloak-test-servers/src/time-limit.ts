const timeouts = new WeakMap<AbortSignal, AbortSignal>();

/**
 * Node.js 20 and early 22 collect a timeout signal that only `AbortSignal.any` references, and it then never aborts.
 */
export function timeLimit(ms: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(ms);
  if (signal === undefined) return timeout;
  const either = AbortSignal.any([signal, timeout]);
  timeouts.set(either, timeout);
  return either;
}
