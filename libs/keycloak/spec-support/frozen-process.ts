import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

const MAX_WAIT_MS = 2000;

/** Waits until the process has stopped, because SIGSTOP may take effect late on a busy machine. */
export function freeze({ pid }: Pick<ChildProcess, 'pid'>): void {
  if (pid === undefined) return;
  process.kill(pid, 'SIGSTOP');
  for (const endMs = performance.now() + MAX_WAIT_MS; performance.now() < endMs && !hasStopped(pid);) continue;
}

function hasStopped(pid: number): boolean {
  try {
    return /\) [Tt] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
