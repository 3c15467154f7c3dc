/** Waits until something is so. */
import { setTimeout as sleep } from 'node:timers/promises';

const WITHIN_MS = 30_000;

/** Asks again and again. `what`: for the error of a wait in vain. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const end = performance.now() + WITHIN_MS; !(await isSo()); await sleep(50)) {
    if (performance.now() > end) throw new Error(`In vain: ${what}`);
  }
}
