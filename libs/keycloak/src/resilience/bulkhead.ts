import { TimeLimit } from '../caching/time-limit.js';

/** Reports a full queue, or too long a wait for a slot. The called service may be healthy. */
export class NoSlotError extends Error {}

interface Waiter {
  readonly enter: () => void;
}

/** An aborted call leaves the queue immediately. */
export class Bulkhead {
  #inside = 0;
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
   * Takes a slot, and the caller must call `leave()` later. Returns undefined if a slot was free, and otherwise a
   * promise that resolves when the caller has a slot.
   *
   * @throws {NoSlotError} If the queue is full. Also rejects with `NoSlotError` after `maxWaitMs`.
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
