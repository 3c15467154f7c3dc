import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningService, ServiceAnswer } from './running-service.js';

export interface FaultScenario {
  readonly service: RunningService;
  readonly ttlSeconds: number;
  readonly tokens: { readonly known: string; readonly unknown: string };
  readonly begin: () => unknown;
  readonly end: () => unknown;
}

export interface WhatWasSeen {
  readonly knownInTime: readonly ServiceAnswer[];
  readonly knownAfterwards: ServiceAnswer;
  readonly unknown: ServiceAnswer;
  readonly ready: ServiceAnswer;
  readonly live: ServiceAnswer;
  readonly recoveredAfterMs: number;
}

/** Even on a slow machine, a request ends within this time. */
const MARGIN_MS = 400;
const GIVE_UP_MS = 10_000;

export async function observe({ service, ttlSeconds, tokens, begin, end }: FaultScenario): Promise<WhatWasSeen> {
  const askedMs = await admittedAt(service, tokens.known);
  const latestDeadlineMs = performance.now() + ttlSeconds * 1000;
  await begin();
  const seenAtOnce = Promise.all([service.whoami(tokens.unknown), service.ready(), service.live()]);
  const knownInTime: ServiceAnswer[] = [];
  while (performance.now() < askedMs + ttlSeconds * 1000 - MARGIN_MS) {
    knownInTime.push(await service.whoami(tokens.known));
    await sleep(100);
  }
  await sleep(latestDeadlineMs - performance.now() + 10);
  const knownAfterwards = await service.whoami(tokens.known);
  const [unknown, ready, live] = await seenAtOnce;
  const endedMs = performance.now();
  await end();
  const recovered = async (): Promise<boolean> =>
    (await service.whoami(tokens.unknown)).status === 200 && (await service.ready()).status === 200;
  while (!(await recovered()) && performance.now() - endedMs < GIVE_UP_MS) await sleep(50);
  return { knownInTime, knownAfterwards, unknown, ready, live, recoveredAfterMs: performance.now() - endedMs };
}

/** Asks again after a 503, because all scenarios begin at once and a busy server may answer one of them too late. */
async function admittedAt(service: RunningService, token: string): Promise<number> {
  const beganMs = performance.now();
  for (;;) {
    const askedMs = performance.now();
    const { status, reason } = await service.whoami(token);
    if (status === 200) return askedMs;
    if (status !== 503 || askedMs - beganMs > GIVE_UP_MS)
      throw new Error(`The service did not answer 200 before the fault: ${status} ${String(reason)}`);
    await sleep(50);
  }
}
