import type { IBackoff, IBackoffFactory } from 'cockatiel';
import type { Clock } from '../caching/clock.js';

/** Limits the effect of a wrong `Retry-After`, because all uncached requests fail during the pause. */
const MAX_PAUSE_MS = 30_000;

/** `duration` is infinite during the pause, because cockatiel uses the wall clock, which may be set back. */
export class CircuitPause implements IBackoffFactory<object>, IBackoff<object> {
  #untilMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly pauseMs: number,
    private readonly retryAfterMs: (outcome: unknown) => number,
  ) {}

  next(context: object): this {
    const { result = {} } = context as { readonly result?: { readonly error?: unknown; readonly value?: unknown } };
    const askedFor = Math.min(this.retryAfterMs(result.error ?? result.value), MAX_PAUSE_MS);
    this.#untilMs = this.clock.monotonicMs() + Math.max(this.pauseMs, askedFor);
    return this;
  }

  get isOver(): boolean {
    return this.clock.monotonicMs() >= this.#untilMs;
  }

  get duration(): number {
    return this.isOver ? -Infinity : Infinity;
  }

  leftSeconds(): number {
    return Math.max(1, Math.ceil((this.#untilMs - this.clock.monotonicMs()) / 1000));
  }
}
