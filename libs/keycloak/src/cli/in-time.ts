import { UsageError } from './usage-error.js';

/** Rejects with `UsageError` after `limitMs`, but does not stop the work. */
export async function inTime<T>(work: Promise<T>, limitMs: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new UsageError(message)), limitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
