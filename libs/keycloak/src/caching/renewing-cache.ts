/** RenewingCache: values that are used until a hard deadline, and renewed in the background before it. */
import type { Clock } from './clock.js';
import { DeadlineCache } from './deadline-cache.js';
import { Flights } from './flights.js';

/** A value, how long it may be used, and from when on it should be renewed; both from now. */
export interface Renewable<V> {
  readonly value: V;
  readonly usableMs: number;
  readonly freshMs: number;
}

interface Entry<V> {
  readonly value: V;
  /** Its hard deadline. */
  readonly endMs: number;
  renewAtMs: number;
}

/** After a renewal that brought nothing better, the next one waits: not every request in the rest of a value's life tries again. */
const RENEWAL_PAUSE_MS = 1000;

/**
 * One flight per key, for first uses and renewals alike. While a renewal runs, and when it fails, the old value serves
 * until its hard deadline and never beyond; so it does when the new one would end sooner. A failure is shared by those who
 * wait for it, and kept only as long as `keepFailureMs` says, or until there is a value.
 */
export class RenewingCache<V> {
  readonly #entries: DeadlineCache<Entry<V>>;
  readonly #failures: DeadlineCache<Error>;
  readonly #flights = new Flights<V>((key) => this.#checkGone(key));

  constructor(
    maxEntries: number,
    private readonly clock: Clock,
    private readonly keepFailureMs: (failure: Error) => number = () => 0,
    /** Called with each key that was obtained and of which no value is held or in flight any more. */
    private readonly onGone: (key: string) => void = () => undefined,
  ) {
    this.#entries = new DeadlineCache(maxEntries, clock, (key) => this.#checkGone(key));
    this.#failures = new DeadlineCache(maxEntries, clock);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A cached value at once, renewed in the background when it is time; else what a flight brings. */
  get(key: string, obtain: () => Promise<Renewable<V>>): V | Promise<V> {
    const nowMs = this.clock.monotonicMs();
    const entry = this.#entries.get(key, nowMs);
    if (entry === undefined) return this.#first(key, obtain);
    if (nowMs >= entry.renewAtMs) this.#renew(key, entry, obtain);
    return entry.value;
  }

  /** The cached value, if there is one; nothing is obtained or renewed. */
  peek(key: string): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Whether a value is in flight, for a first use or a renewal, so that a caller would wait for it. */
  isInFlight(key: string): boolean {
    return this.#flights.canJoin(key);
  }

  /** Evicts `key`, but only while it holds `value`: a newer one stays, and so does one that is in flight. */
  delete(key: string, value: V): void {
    const entry = this.#entries.get(key);
    if (entry?.value === value) this.#entries.delete(key, entry);
  }

  /** Evicts `key`, whatever it holds or is about to hold: who waits gets the answer, and nobody after that. */
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
    // A caller that needs the value past its deadline asks again, and gets the failure then.
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
    // A renewal never shortens the time in which nobody waits: it may have brought a value that is over already.
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
