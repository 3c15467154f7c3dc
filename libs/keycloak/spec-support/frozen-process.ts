/** Frozen process: stops a server process, so that it accepts connections and does not answer. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

const MAX_WAIT_MS = 2000;

/** Waits until the process has stopped: on a busy machine it runs on for a while after the signal. */
export function freeze({ pid }: Pick<ChildProcess, 'pid'>): void {
  if (pid === undefined) return;
  process.kill(pid, 'SIGSTOP');
  for (const endMs = performance.now() + MAX_WAIT_MS; performance.now() < endMs && !hasStopped(pid);) continue;
}

/** Without /proc it returns true. */
function hasStopped(pid: number): boolean {
  try {
    return /\) [Tt] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
