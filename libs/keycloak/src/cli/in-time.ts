import { UsageError } from './usage-error.js';

/** Throws `UsageError` with `message` if `work` takes longer. The work itself is not stopped. */
export async function inTime<T>(work: Promise<T>, limitMs: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new UsageError(message)), limitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
