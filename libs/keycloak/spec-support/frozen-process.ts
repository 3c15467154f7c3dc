/** Frozen process: a server that is there and does nothing. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

const MAX_WAIT_MS = 2000;

/** Returns when it has stopped: a signal that is only sent lets the process go on for a while where the machine is busy. */
export function freeze({ pid }: Pick<ChildProcess, 'pid'>): void {
  if (pid === undefined) return;
  process.kill(pid, 'SIGSTOP');
  for (const endMs = performance.now() + MAX_WAIT_MS; performance.now() < endMs && !hasStopped(pid);) continue;
}

/** Where there is no /proc, it is taken for stopped. */
function hasStopped(pid: number): boolean {
  try {
    return /\) [Tt] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
