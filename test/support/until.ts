import { setTimeout as sleep } from 'node:timers/promises';

const WITHIN_MS = 180_000;

export async function until(isSo: () => boolean | Promise<boolean>, what = 'the condition is met'): Promise<void> {
  for (const end = performance.now() + WITHIN_MS; !(await isSo()); await sleep(20)) {
    if (performance.now() > end) throw new Error(`Timed out waiting until ${what}`);
  }
}
