/** Bulkhead: a bound on the calls in flight, on those that wait, and on how long each waits. */
import { TimeLimit } from '../caching/time-limit.js';

/** Too many calls wait already, or this one has waited too long. It says nothing about the other side. */
export class NoSlotError extends Error {}

interface Waiter {
  readonly enter: () => void;
}

/**
 * Waiting calls get slots in their order. A call that is given up leaves the queue at once; the bulkhead of cockatiel keeps it, and
 * does not start the next one when its turn comes.
 */
export class Bulkhead {
  #inside = 0;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiter>();

  constructor(
    private readonly slots: number,
    private readonly maxWaiting: number,
  ) {}

  get running(): number {
    return this.#inside;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  /**
   * Undefined when a slot was free: it is taken. Else one is, when the promise is fulfilled.
   *
   * Rejects with `NoSlotError` after `maxWaitMs`, or with the reason of `signal` when that aborted. Throws `NoSlotError` when
   * too many wait already. Who has a slot must `leave()`.
   */
  enter(maxWaitMs: number, signal: AbortSignal | undefined): Promise<void> | undefined {
    if (this.#inside < this.slots) {
      this.#inside += 1;
      return undefined;
    }
    if (this.#waiting.size >= this.maxWaiting) throw new NoSlotError();
    return this.#wait(maxWaitMs, signal);
  }

  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#inside -= 1;
    else next.enter();
  }

  async #wait(maxWaitMs: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const settle = (how: () => void): void => {
        this.#waiting.delete(waiter);
        limit.clear();
        signal?.removeEventListener('abort', abort);
        how();
      };
      const abort = (): void => settle(() => reject(signal?.reason as Error));
      const waiter: Waiter = { enter: () => settle(resolve) };
      const limit = new TimeLimit(maxWaitMs, () => settle(() => reject(new NoSlotError()))).unref();
      signal?.addEventListener('abort', abort);
      this.#waiting.add(waiter);
    });
  }
}
