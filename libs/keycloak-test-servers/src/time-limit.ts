const timeouts = new WeakMap<AbortSignal, AbortSignal>();

/** In Node.js 20 and early 22, garbage collection removes a timeout signal that only `AbortSignal.any` references. */
export function timeLimit(ms: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(ms);
  if (signal === undefined) return timeout;
  const either = AbortSignal.any([signal, timeout]);
  timeouts.set(either, timeout);
  return either;
}
