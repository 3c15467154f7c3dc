import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.js';

interface Entry<V> {
  readonly value: V;
  readonly deadlineMs: number;
}

/** Reading an entry does not extend its lifetime. */
export class DeadlineCache<V> {
  /** Created with the first entry, because an `LRUCache` reserves memory for `maxEntries` entries. */
  #entries: LRUCache<string, Entry<V>> | undefined;

  constructor(
    private readonly maxEntries: number,
    private readonly clock: Clock,
    /** Called with the key of each entry that was removed and not replaced. */
    private readonly onGone?: (key: string) => void,
  ) {}

  /** The number of entries, including expired entries that were not read after their expiry. */
  get size(): number {
    return this.#entries?.size ?? 0;
  }

  has(key: string): boolean {
    return this.#entries?.has(key) === true;
  }

  get(key: string, nowMs = this.clock.monotonicMs()): V | undefined {
    const entry = this.#entries?.get(key);
    if (entry === undefined) return undefined;
    if (nowMs < entry.deadlineMs) return entry.value;
    this.#entries?.delete(key);
    return undefined;
  }

  set(key: string, value: V, lifetimeMs: number): void {
    if (!(lifetimeMs > 0)) {
      this.#entries?.delete(key);
      return;
    }
    this.#entries ??= this.#create();
    this.#entries.set(key, { value, deadlineMs: this.clock.monotonicMs() + lifetimeMs });
  }

  delete(key: string, value: V): void {
    if (this.#entries?.peek(key)?.value === value) this.#entries.delete(key);
  }

  #create(): LRUCache<string, Entry<V>> {
    const { onGone } = this;
    return new LRUCache({
      max: this.maxEntries,
      ...(onGone && {
        disposeAfter: (_entry: Entry<V>, key: string, reason: string) => reason !== 'set' && onGone(key),
      }),
    });
  }
}
