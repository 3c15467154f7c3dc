/** underSteadyLoad(): requests at a steady rate, whatever became of those before, while something else happens. */
import { setTimeout as sleep } from 'node:timers/promises';

export const OK = 'ok';

export interface Failure {
  readonly startedMs: number;
  /** What came instead of {@link OK}. */
  readonly outcome: string;
}

export interface LoadSeen {
  readonly made: number;
  readonly failures: readonly Failure[];
}

export interface Load {
  /** Of all callers. */
  readonly perSecond: number;
  /** The requests go on until there were so many. Default: as long as `change` takes. */
  readonly least?: number;
  /** Sends the request with this number, and says what came of it. */
  readonly send: (number: number) => Promise<string>;
}

/** Requests begin half a second before `change`. A machine that is late makes up for it, so that the rate is that of the whole. */
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
