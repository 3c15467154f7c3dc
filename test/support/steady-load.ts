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
  /** Default: as many as `change` leaves time for. */
  readonly least?: number;
  readonly send: (number: number) => Promise<string>;
}

/** Sends late requests in quick succession, so that the average rate holds. */
export async function underSteadyLoad(
  { perSecond, least = 0, send }: Load,
  change: () => Promise<void>,
): Promise<LoadSeen> {
  const failures: Failure[] = [];
  const sent: Promise<void>[] = [];
  const changed = new AbortController();
  const one = async (number: number): Promise<void> => {
    const startedMs = performance.now();
    const outcome = await send(number).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
    if (outcome !== OK) failures.push({ startedMs, outcome });
  };
  const beganMs = performance.now();
  const requests = (async () => {
    while (!changed.signal.aborted || sent.length < least) {
      const dueMs = beganMs + (sent.length * 1000) / perSecond - performance.now();
      if (dueMs > 0) await sleep(dueMs);
      sent.push(one(sent.length));
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
