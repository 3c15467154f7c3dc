import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './clock.js';
import { sharedFault, type SharedFault } from './shared-fault.js';
import type { ConnectedSharedCache, SharedLookup } from './shared-cache.js';

export interface Dated<T> {
  readonly value: T;
  readonly askedAtMs: number;
}

export interface Shareable {
  readonly text: string;
  readonly askedAtMs: number;
  readonly servesMs: number;
  readonly isFinal?: boolean;
}

/** Limits the wait for another replica's value, and the wait of a queued lookup. */
const MAX_WAIT_MS = 3000;
const EXTEND_EVERY_MS = 200;
const FIRST_PAUSE_MS = 3;
const LONGEST_PAUSE_MS = 100;

/** Limits parallel requests to the cache, to prevent time-outs. */
const MAX_AT_ONCE = 64;

const REPORT_PAUSE_MS = 60_000;

/**
 * A lookup counts as a miss if the cache answers too late, or if the lookup waits three seconds in the queue. Callers
 * check a shared value as strictly as a local value.
 */
export class SharedLevel {
  #cache: ConnectedSharedCache | undefined;
  #failedAtMs = -Infinity;
  #running = 0;
  readonly #waiting: ((isTurn: boolean) => void)[] = [];
  readonly #leases = new Map<string, NodeJS.Timeout>();

  constructor(
    cache: ConnectedSharedCache,
    private readonly clock: Clock,
    private readonly onFailure: (fault: SharedFault) => void,
  ) {
    this.#cache = cache;
  }

  /** If `find` returns undefined, the caller must obtain the value and then call `put` or `release`. */
  async find<T>(
    key: string,
    maxAgeMs: number,
    read: (text: string, askedAtMs: number) => T | undefined,
  ): Promise<Dated<T> | undefined> {
    const endMs = this.clock.monotonicMs() + MAX_WAIT_MS;
    let noUse: string | undefined;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      const looked = await this.#run(
        (cache) => cache.look(key, maxAgeMs, noUse),
        () => this.#turnAway(),
      );
      if (looked === undefined || looked.kind === 'lease') {
        // A failed lookup may have acquired the lease.
        this.#keepLease(key);
        return undefined;
      }
      const found = looked.kind === 'found' ? this.#read(looked, read) : undefined;
      if (found !== undefined || this.clock.monotonicMs() >= endMs) return found;
      if (looked.kind === 'found') noUse = looked.id;
      else await sleep(pauseMs);
    }
  }

  /**
   * Looks once. Unlike `find`, does not wait for another replica, and the caller owes nothing. A failed lookup counts as
   * a miss.
   */
  async peek<T>(
    key: string,
    maxAgeMs: number,
    read: (text: string, askedAtMs: number) => T | undefined,
  ): Promise<Dated<T> | undefined> {
    const looked = await this.#run(
      (cache) => cache.look(key, maxAgeMs),
      () => this.#turnAway(),
    );
    if (looked?.kind === 'found') return this.#read(looked, read);
    // A failed lookup may have acquired the lease. A lease of `find` stays.
    if (looked?.kind !== 'taken' && !this.#leases.has(key)) this.release(key);
    return undefined;
  }

  put(key: string, { text, askedAtMs, servesMs, isFinal = false }: Shareable): void {
    this.#endLease(key);
    void this.#run((cache) => cache.put(key, { text, ageMs: this.clock.monotonicMs() - askedAtMs, servesMs, isFinal }));
  }

  release(key: string): void {
    this.#endLease(key);
    void this.#run((cache) => cache.release(key));
  }

  async open(): Promise<void> {
    await this.#run((cache) => cache.open());
  }

  async close(): Promise<void> {
    const cache = this.#cache;
    this.#cache = undefined;
    for (const key of this.#leases.keys()) this.#endLease(key);
    await cache?.close();
  }

  /** Turns the shared cache off, for specs that use no network. */
  leaveOff(): void {
    this.#cache = undefined;
  }

  #keepLease(key: string): void {
    this.#endLease(key);
    let isExtending = false;
    // Starts no second extension while one is pending, because calls to a slow cache would accumulate.
    const extend = (): void => {
      if (isExtending) return;
      isExtending = true;
      void this.#run((cache) => cache.extend(key)).finally(() => (isExtending = false));
    };
    this.#leases.set(key, setInterval(extend, EXTEND_EVERY_MS).unref());
  }

  #endLease(key: string): void {
    clearInterval(this.#leases.get(key));
    this.#leases.delete(key);
  }

  #read<T>(
    { text, ageMs }: Extract<SharedLookup, { readonly kind: 'found' }>,
    read: (text: string, askedAtMs: number) => T | undefined,
  ): Dated<T> | undefined {
    const askedAtMs = this.clock.monotonicMs() - ageMs;
    try {
      const value = read(text, askedAtMs);
      return value === undefined ? undefined : { value, askedAtMs };
    } catch {
      // The entry has the format of another version of this library.
      return undefined;
    }
  }

  async #run<T>(
    action: (cache: ConnectedSharedCache) => Promise<T>,
    onFailure: () => void = () => undefined,
  ): Promise<T | undefined> {
    if (this.#running >= MAX_AT_ONCE && !(await this.#hasTurn())) return undefined;
    this.#running += 1;
    try {
      return this.#cache && (await action(this.#cache));
    } catch (error) {
      if (this.#cache !== undefined) this.#report(error);
      onFailure();
      return undefined;
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.(true);
    }
  }

  async #hasTurn(): Promise<boolean> {
    const sinceMs = this.clock.monotonicMs();
    const isTurn = await new Promise<boolean>((resolve) => this.#waiting.push(resolve));
    if (!isTurn || this.clock.monotonicMs() - sinceMs < MAX_WAIT_MS) return isTurn;
    this.#waiting.shift()?.(true);
    return false;
  }

  /**
   * After a failed lookup, ends all queued lookups, because they would probably time out. In a flood of unknown tokens,
   * the queue would delay every caller.
   */
  #turnAway(): void {
    for (const tell of this.#waiting.splice(0)) tell(false);
  }

  #report(error: unknown): void {
    const nowMs = this.clock.monotonicMs();
    if (nowMs < this.#failedAtMs + REPORT_PAUSE_MS) return;
    this.#failedAtMs = nowMs;
    this.onFailure(sharedFault(error));
  }
}
