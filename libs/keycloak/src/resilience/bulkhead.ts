/** Bulkhead: so many may be inside, so many may wait at the door, and each for so long. */

/** Nobody may wait any more, or this one has waited too long. It says nothing of the other side. */
export class NoSlotError extends Error {}

interface Waiter {
  readonly enter: () => void;
}

/**
 * Those who wait come in by their order. Whoever gives up leaves the queue at once, and its place with it: that of cockatiel
 * keeps him, and when his turn comes forgets to call the next.
 */
export class Bulkhead {
  #inside = 0;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiter>();

  constructor(
    private readonly slots: number,
    private readonly maxWaiting: number,
  ) {}

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
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        how();
      };
      const abort = (): void => settle(() => reject(signal?.reason as Error));
      const waiter: Waiter = { enter: () => settle(resolve) };
      const timer = setTimeout(() => settle(() => reject(new NoSlotError())), maxWaitMs).unref();
      signal?.addEventListener('abort', abort);
      this.#waiting.add(waiter);
    });
  }
}
