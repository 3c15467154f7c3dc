/** Known token: one that a service has accepted, and that is presented to it again and again until it is refused. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AttackAnswer } from './attempt.js';

export interface KnownToken {
  /** Whom it is for, such as `Service B`. */
  readonly service: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** Presents it once. Rejects when there is no answer. */
  present(): Promise<AttackAnswer>;
}

export interface Presented {
  readonly answer: AttackAnswer;
  /** When the answer was here; milliseconds since the epoch. */
  readonly atMs: number;
}

/** Behind a balancer the next request meets another replica, which may not refuse it yet. */
const MORE_REFUSALS = 3;

export const isRefused = ({ status }: AttackAnswer): boolean => status === 401;

/** Presents a token, and one that is refused some more times at once: it is refused when it is so each time. */
export async function presentSurely(present: KnownToken['present']): Promise<Presented> {
  const first = await presented(present);
  if (!isRefused(first.answer)) return first;
  for (let more = 0; more < MORE_REFUSALS; more += 1) {
    const again = await presented(present);
    if (!isRefused(again.answer)) return again;
  }
  return first;
}

/** Presents a token every so many milliseconds until it is refused, or its time is over: what came last. */
export async function presentUntilRefused(
  present: KnownToken['present'],
  { everyMs, untilMs }: { readonly everyMs: number; readonly untilMs: number },
): Promise<Presented> {
  for (;;) {
    const last = await presentSurely(present);
    if (isRefused(last.answer) || Date.now() >= untilMs) return last;
    await sleep(everyMs);
  }
}

async function presented(present: KnownToken['present']): Promise<Presented> {
  const answer = await present();
  return { answer, atMs: Date.now() };
}
