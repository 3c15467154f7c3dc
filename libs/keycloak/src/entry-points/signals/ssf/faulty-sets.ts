import type { Clock, ComponentLog } from '../../ports/signals.js';
import type { MeaningFault } from './event-meaning.js';
import type { SetRefusal } from './set-claims.js';

const SILENCE_MS = 60_000;

interface Counted {
  saidAtMs: number;
  count: number;
}

export class FaultySets {
  readonly #byReason = new Map<string, Counted>();

  constructor(
    private readonly clock: Clock,
    private readonly log: ComponentLog,
  ) {}

  refused(reason: SetRefusal): void {
    this.#say('A security event token was refused: what it may have reported is not applied', reason);
  }

  notUnderstood(reason: MeaningFault): void {
    this.#say('A security event token was not understood. Tokens that it may concern are introspected again', reason);
  }

  #say(words: string, reason: string): void {
    const nowMs = this.clock.monotonicMs();
    const counted = this.#byReason.get(reason) ?? { saidAtMs: -Infinity, count: 0 };
    this.#byReason.set(reason, counted);
    counted.count += 1;
    if (nowMs < counted.saidAtMs + SILENCE_MS) return;
    this.log.warn(words, { reason, count: counted.count });
    counted.saidAtMs = nowMs;
    counted.count = 0;
  }
}
