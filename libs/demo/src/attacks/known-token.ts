import { setTimeout as sleep } from 'node:timers/promises';
import type { AttackAnswer } from './attempt.js';

export interface KnownToken {
  readonly service: string;
  /** The expiry, in seconds since the epoch. */
  readonly expiresAt: number;
  present(): Promise<AttackAnswer>;
}

export interface Presented {
  readonly answer: AttackAnswer;
  /** The time of the answer, in milliseconds since the epoch. */
  readonly atMs: number;
}

const MORE_REFUSALS = 3;

export const isRefused = ({ status }: AttackAnswer): boolean => status === 401;

export async function presentSurely(present: KnownToken['present']): Promise<Presented> {
  const first = await presented(present);
  if (!isRefused(first.answer)) return first;
  for (let more = 0; more < MORE_REFUSALS; more += 1) {
    const again = await presented(present);
    if (!isRefused(again.answer)) return again;
  }
  return first;
}

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
