import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.js';

interface Entry<V> {
  readonly value: V;
  readonly deadlineMs: number;
}

/** Reading an entry does not prolong its deadline. */
export class DeadlineCache<V> {
  readonly #entries: LRUCache<string, Entry<V>>;

  constructor(
    maxEntries: number,
    private readonly clock: Clock,
    /** Called with the key of each entry that was removed for any reason and not replaced. */
    onGone?: (key: string) => void,
  ) {
    this.#entries = new LRUCache({
      max: maxEntries,
      ...(onGone && { disposeAfter: (_entry, key, reason) => reason !== 'set' && onGone(key) }),
    });
  }

  /** Includes expired entries that were not read since they expired. */
  get size(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  get(key: string, nowMs = this.clock.monotonicMs()): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (nowMs < entry.deadlineMs) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  /** A lifetime that is not a positive number deletes the key. */
  set(key: string, value: V, lifetimeMs: number): void {
    if (!(lifetimeMs > 0)) {
      this.#entries.delete(key);
      return;
    }
    this.#entries.set(key, { value, deadlineMs: this.clock.monotonicMs() + lifetimeMs });
  }

  delete(key: string, value: V): void {
    if (this.#entries.peek(key)?.value === value) this.#entries.delete(key);
  }
}
