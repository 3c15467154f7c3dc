import { setTimeout as sleep } from 'node:timers/promises';

export const OK = 'ok';

export interface Failure {
  readonly startedMs: number;
  readonly outcome: string;
}

export interface LoadSeen {
  readonly made: number;
  readonly failures: readonly Failure[];
}

export interface Load {
  readonly perSecond: number;
  /** The minimum number of requests; without a minimum, the load ends with `change`. */
  readonly least?: number;
  readonly send: (number: number) => Promise<string>;
}

/** After a pause, the load sends only the most recent of the overdue requests, to prevent a burst. */
const CATCHES_UP_MS = 100;

/** On a busy machine, an unlimited load would overload the services, and would no longer be steady. */
const MAX_UNANSWERED = 20;

export async function underSteadyLoad(
  { perSecond, least = 0, send }: Load,
  change: () => Promise<void>,
): Promise<LoadSeen> {
  const failures: Failure[] = [];
  const sent: Promise<void>[] = [];
  const changed = new AbortController();
  const unanswered = new Set<number>();
  const one = async (number: number): Promise<void> => {
    const startedMs = performance.now();
    unanswered.add(number);
    const outcome = await send(number).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
    unanswered.delete(number);
    if (outcome !== OK) failures.push({ startedMs, outcome });
  };
  let dueMs = performance.now();
  const requests = (async () => {
    while (!changed.signal.aborted || sent.length < least) {
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      while (unanswered.size >= MAX_UNANSWERED) await sleep(5);
      sent.push(one(sent.length));
      dueMs = Math.max(dueMs + 1000 / perSecond, performance.now() - CATCHES_UP_MS);
    }
  })();
  try {
    await sleep(500);
    await change();
  } finally {
    changed.abort();
    await requests;
    await Promise.all(sent);
  }
  return { made: sent.length, failures };
}
