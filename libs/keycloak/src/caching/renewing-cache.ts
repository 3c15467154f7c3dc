import type { Clock } from './clock.js';
import { DeadlineCache } from './deadline-cache.js';
import { Flights } from './flights.js';

/** `usableMs` and `freshMs` count from the arrival of the value. */
export interface Renewable<V> {
  readonly value: V;
  readonly usableMs: number;
  readonly freshMs: number;
}

interface Entry<V> {
  readonly value: V;
  readonly endMs: number;
  renewAtMs: number;
}

/** The pause after a renewal that failed or returned no better value. */
const RENEWAL_PAUSE_MS = 1000;

/** The cache returns the old value until its deadline, even if the renewal is pending or has failed. */
export class RenewingCache<V> {
  readonly #entries: DeadlineCache<Entry<V>>;
  readonly #failures: DeadlineCache<Error>;
  readonly #flights = new Flights<V>((key) => this.#checkGone(key));

  constructor(
    maxEntries: number,
    private readonly clock: Clock,
    private readonly keepFailureMs: (failure: Error) => number = () => 0,
    /** Receives a key when the cache has neither a value nor a joinable call for the key. */
    private readonly onGone: (key: string) => void = () => undefined,
  ) {
    this.#entries = new DeadlineCache(maxEntries, clock, (key) => this.#checkGone(key));
    this.#failures = new DeadlineCache(maxEntries, clock);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, obtain: () => Promise<Renewable<V>>): V | Promise<V> {
    const nowMs = this.clock.monotonicMs();
    const entry = this.#entries.get(key, nowMs);
    if (entry === undefined) return this.#first(key, obtain);
    if (nowMs >= entry.renewAtMs) this.#renew(key, entry, obtain);
    return entry.value;
  }

  peek(key: string): V | undefined {
    return this.#entries.get(key)?.value;
  }

  isInFlight(key: string): boolean {
    return this.#flights.canJoin(key);
  }

  delete(key: string, value: V): void {
    const entry = this.#entries.get(key);
    if (entry?.value === value) this.#entries.delete(key, entry);
  }

  evict(key: string): void {
    this.#flights.detach(key);
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#entries.delete(key, entry);
  }

  async #first(key: string, obtain: () => Promise<Renewable<V>>): Promise<V> {
    const failure = this.#failures.get(key);
    if (failure !== undefined) throw failure;
    return this.#obtain(key, obtain);
  }

  #renew(key: string, entry: Entry<V>, obtain: () => Promise<Renewable<V>>): void {
    // A failed renewal is ignored, because the first caller after the deadline tries again.
    this.#obtain(key, obtain).catch(() => {
      entry.renewAtMs = this.clock.monotonicMs() + RENEWAL_PAUSE_MS;
    });
  }

  #obtain(key: string, obtain: () => Promise<Renewable<V>>): Promise<V> {
    return this.#flights.run(key, async (flight) => {
      try {
        const obtained = await obtain();
        if (!flight.isDetached) this.#keep(key, obtained);
        return obtained.value;
      } catch (error) {
        if (error instanceof Error && !flight.isDetached) this.#failures.set(key, error, this.keepFailureMs(error));
        throw error;
      }
    });
  }

  #keep(key: string, { value, usableMs, freshMs }: Renewable<V>): void {
    const nowMs = this.clock.monotonicMs();
    const endMs = nowMs + usableMs;
    const failure = this.#failures.get(key, nowMs);
    if (failure !== undefined) this.#failures.delete(key, failure);
    const current = this.#entries.get(key, nowMs);
    // Keeps the current value if the new value expires sooner or has already expired.
    if (current !== undefined && !(endMs >= current.endMs)) {
      current.renewAtMs = nowMs + Math.max(RENEWAL_PAUSE_MS, freshMs);
      return;
    }
    this.#entries.set(key, { value, endMs, renewAtMs: nowMs + freshMs }, usableMs);
  }

  #checkGone(key: string): void {
    if (!this.#entries.has(key) && !this.#flights.canJoin(key)) this.onGone(key);
  }
}
