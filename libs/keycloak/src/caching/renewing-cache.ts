/** RenewingCache: values that are used until a hard deadline, and renewed in the background before it. */
import type { Clock } from './clock.js';
import { DeadlineCache } from './deadline-cache.js';
import { SingleFlight } from './single-flight.js';

/** A value, how long it may be used, and from when on it should be renewed; both from now. */
export interface Renewable<V> {
  readonly value: V;
  readonly usableMs: number;
  readonly freshMs: number;
}

interface Entry<V> {
  readonly value: V;
  readonly renewAtMs: number;
}

/**
 * One flight per key, for first uses and renewals alike. While a renewal runs, and when it fails, the old value serves
 * until its hard deadline and never beyond. A failure is shared by those who wait for it and kept for nobody.
 */
export class RenewingCache<V> {
  readonly #entries: DeadlineCache<Entry<V>>;
  readonly #flights = new SingleFlight<V>();

  constructor(
    maxEntries: number,
    private readonly clock: Clock,
  ) {
    this.#entries = new DeadlineCache(maxEntries, clock);
  }

  async get(key: string, obtain: () => Promise<Renewable<V>>): Promise<V> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return this.#obtain(key, obtain);
    // Whoever needs the value past its deadline asks again, and gets the failure then.
    if (this.clock.monotonicMs() >= entry.renewAtMs) this.#obtain(key, obtain).catch(() => undefined);
    return entry.value;
  }

  /** Forgets `key`, but only while it holds `value`: a newer one stays. */
  delete(key: string, value: V): void {
    const entry = this.#entries.get(key);
    if (entry?.value === value) this.#entries.delete(key, entry);
  }

  /** Forgets `key`, whatever it holds. */
  forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#entries.delete(key, entry);
  }

  #obtain(key: string, obtain: () => Promise<Renewable<V>>): Promise<V> {
    return this.#flights.run(key, async () => {
      const { value, usableMs, freshMs } = await obtain();
      this.#entries.set(key, { value, renewAtMs: this.clock.monotonicMs() + freshMs }, usableMs);
      return value;
    });
  }
}
