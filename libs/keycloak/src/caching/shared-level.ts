/** SharedLevel: values that other replicas have asked for, and which one of them asks for what is not there. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './clock.js';
import { sharedFault, type SharedFault } from './shared-fault.js';
import type { ConnectedSharedCache, SharedLookup } from './shared-cache.js';

/** A value, and when it was asked for; monotonic. */
export interface Dated<T> {
  readonly value: T;
  readonly askedAtMs: number;
}

/** What others may use. */
export interface Shareable {
  readonly text: string;
  readonly askedAtMs: number;
  /** For how long, from now. */
  readonly servesMs: number;
  readonly isFinal?: boolean;
}

/** How long the value may take that another replica asks for, as long as that one is there, and how long the turn to look for it. Then this one asks, too. */
const MAX_WAIT_MS = 3000;
const EXTEND_EVERY_MS = 200;
const FIRST_PAUSE_MS = 3;
const LONGEST_PAUSE_MS = 100;

/** More wait for their turn, so that what is measured is the cache and not this process. */
const MAX_AT_ONCE = 64;

/** Between two reports of a failure. */
const REPORT_PAUSE_MS = 60_000;

/** Whatever the cache does, slow or away, costs its own deadline at most, or three seconds where more ask than it can answer, and nothing is found. What it gives is judged like what this process keeps itself. */
export class SharedLevel {
  #cache: ConnectedSharedCache | undefined;
  #failedAtMs = -Infinity;
  #running = 0;
  /** Told whether it is their turn. */
  readonly #waiting: ((isTurn: boolean) => void)[] = [];
  /** Of this replica, by key. */
  readonly #leases = new Map<string, NodeJS.Timeout>();

  constructor(
    cache: ConnectedSharedCache,
    private readonly clock: Clock,
    /** Called when the cache fails, once a minute at most. */
    private readonly onFailure: (fault: SharedFault) => void,
  ) {
    this.#cache = cache;
  }

  /**
   * A value that was asked for at most `maxAgeMs` ago, and in which `read` finds something of use; undefined when this replica has to ask for it: then
   * `put` or `release` is expected.
   */
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
        // What failed may have given it one.
        this.#keepLease(key);
        return undefined;
      }
      const found = looked.kind === 'found' ? this.#read(looked, read) : undefined;
      if (found !== undefined || this.clock.monotonicMs() >= endMs) return found;
      if (looked.kind === 'found') noUse = looked.id;
      else await sleep(pauseMs);
    }
  }

  /** In the background. */
  put(key: string, { text, askedAtMs, servesMs, isFinal = false }: Shareable): void {
    this.#endLease(key);
    void this.#run((cache) => cache.put(key, { text, ageMs: this.clock.monotonicMs() - askedAtMs, servesMs, isFinal }));
  }

  /** Nothing came of it; in the background. */
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

  /** For specs without network: nothing is found or kept. */
  leaveOff(): void {
    this.#cache = undefined;
  }

  /** As long as `put` or `release` are to come. */
  #keepLease(key: string): void {
    this.#endLease(key);
    let isExtending = false;
    // One at a time: a cache that is slower than this would have ever more of them wait for their turn.
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
      // Another form of this library wrote it.
      return undefined;
    }
  }

  /** Undefined when it fails, when its turn comes too late, and when there is no cache any more. */
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

  /** Whose turn comes too late gives it to the next. */
  async #hasTurn(): Promise<boolean> {
    const sinceMs = this.clock.monotonicMs();
    const isTurn = await new Promise<boolean>((resolve) => this.#waiting.push(resolve));
    if (!isTurn || this.clock.monotonicMs() - sinceMs < MAX_WAIT_MS) return isTurn;
    this.#waiting.shift()?.(true);
    return false;
  }

  /** Where one has waited in vain the others would, too: a flood of unknown tokens would have all of them wait at a cache that is slow. */
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
