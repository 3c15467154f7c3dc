/** Waits until something is so. */
import { setTimeout as sleep } from 'node:timers/promises';

/** For what never comes about: longer than a busy machine needs for anything that a spec waits for. */
const WITHIN_MS = 180_000;

/** Asks again and again. `what`: for the error of a wait in vain. */
export async function until(isSo: () => boolean | Promise<boolean>, what = 'it comes about'): Promise<void> {
  for (const end = performance.now() + WITHIN_MS; !(await isSo()); await sleep(20)) {
    if (performance.now() > end) throw new Error(`In vain: ${what}`);
  }
}
