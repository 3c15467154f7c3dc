/** DeadlineCache: a bounded map whose entries end at an absolute monotonic deadline. */
import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.js';

interface Entry<V> {
  readonly value: V;
  readonly deadlineMs: number;
}

/**
 * Holds at most `maxEntries`; the one used longest ago goes first. An entry is never given out at or after its
 * deadline, and reading it does not prolong it.
 */
export class DeadlineCache<V> {
  readonly #entries: LRUCache<string, Entry<V>>;

  constructor(
    maxEntries: number,
    private readonly clock: Clock,
    /** Called with each key whose entry has gone, for whatever reason, and was not replaced by another. */
    onGone?: (key: string) => void,
  ) {
    this.#entries = new LRUCache({
      max: maxEntries,
      ...(onGone && { disposeAfter: (_entry, key, reason) => reason !== 'set' && onGone(key) }),
    });
  }

  /** Entries, those past their deadline included that nobody has asked for since. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether there is an entry, be it past its deadline. */
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

  /** Keeps `value` for `lifetimeMs` from now; nothing for this key when that is not a positive number. */
  set(key: string, value: V, lifetimeMs: number): void {
    if (!(lifetimeMs > 0)) {
      this.#entries.delete(key);
      return;
    }
    this.#entries.set(key, { value, deadlineMs: this.clock.monotonicMs() + lifetimeMs });
  }

  /** Evicts `key`, but only while it holds `value`: a newer one stays. */
  delete(key: string, value: V): void {
    if (this.#entries.peek(key)?.value === value) this.#entries.delete(key);
  }
}
