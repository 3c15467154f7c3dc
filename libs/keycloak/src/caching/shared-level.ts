/** SharedLevel: a value from what other replicas have asked for, else asked for by one of them for all. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './clock.js';
import type { ConnectedSharedCache } from './shared-cache.js';

/** A value, and when it was asked for; monotonic. */
export interface Dated<T> {
  readonly value: T;
  readonly askedAtMs: number;
}

/** A value to be obtained. */
export interface Wanted<T> {
  /** All that the value depends on. */
  readonly key: string;
  /** An older one is of no use. */
  readonly maxAgeMs: number;
  /** The value in a text of another replica; undefined where it is of no use. */
  read(text: string, askedAtMs: number): T | undefined;
  /** Asks for it. What this throws is thrown. */
  ask(): Promise<T>;
  /** What others may use of it, and for how long from now; undefined: nothing. */
  write(dated: Dated<T>): { readonly text: string; readonly servesMs: number; readonly isFinal?: boolean } | undefined;
}

/** How long the value may take that another replica asks for. Then this one asks, too. */
const MAX_WAIT_MS = 1000;
const FIRST_PAUSE_MS = 3;
const LONGEST_PAUSE_MS = 25;

/** Between two reports of a failure. */
const REPORT_PAUSE_MS = 60_000;

/**
 * Whatever the cache does, slow or away, costs its own deadline once, and the value is asked for. What it gives is judged like what this process keeps itself. A value is given out
 * before the others have it.
 */
export class SharedLevel {
  #cache: ConnectedSharedCache | undefined;
  #failedAtMs = -Infinity;

  /** Without a `cache` every value is asked for. */
  constructor(
    cache: ConnectedSharedCache | undefined,
    private readonly clock: Clock,
    /** Called with the reason when the cache fails, once a minute at most. */
    private readonly onFailure: (reason: string) => void,
  ) {
    this.#cache = cache;
  }

  get isThere(): boolean {
    return this.#cache !== undefined;
  }

  async obtain<T>(wanted: Wanted<T>): Promise<Dated<T>> {
    if (this.#cache === undefined) return this.#ask(wanted);
    return (await this.#found(this.#cache, wanted)) ?? this.#askForAll(this.#cache, wanted);
  }

  /** For specs without network. */
  leaveOff(): void {
    this.#cache = undefined;
  }

  async open(): Promise<void> {
    await this.#cache?.open();
  }

  async close(): Promise<void> {
    await this.#cache?.close();
  }

  /** Undefined when this replica has to ask. */
  async #found<T>(cache: ConnectedSharedCache, { key, maxAgeMs, read }: Wanted<T>): Promise<Dated<T> | undefined> {
    const endMs = this.clock.monotonicMs() + MAX_WAIT_MS;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      const looked = await cache.look(key, maxAgeMs).catch((error: unknown) => this.#report(error));
      if (looked === undefined || looked.kind === 'lease') return undefined;
      if (looked.kind === 'found') {
        const askedAtMs = this.clock.monotonicMs() - looked.ageMs;
        const value = orUndefined(() => read(looked.text, askedAtMs));
        return value === undefined ? undefined : { value, askedAtMs };
      }
      if (this.clock.monotonicMs() >= endMs) return undefined;
      await sleep(pauseMs);
    }
  }

  async #askForAll<T>(cache: ConnectedSharedCache, wanted: Wanted<T>): Promise<Dated<T>> {
    try {
      const dated = await this.#ask(wanted);
      const written = wanted.write(dated);
      if (written === undefined) void cache.release(wanted.key).catch((error: unknown) => this.#report(error));
      else {
        const ageMs = this.clock.monotonicMs() - dated.askedAtMs;
        const entry = { isFinal: false, ...written, ageMs };
        void cache.put(wanted.key, entry).catch((error: unknown) => this.#report(error));
      }
      return dated;
    } catch (error) {
      void cache.release(wanted.key).catch((failure: unknown) => this.#report(failure));
      throw error;
    }
  }

  async #ask<T>({ ask }: Wanted<T>): Promise<Dated<T>> {
    const askedAtMs = this.clock.monotonicMs();
    return { value: await ask(), askedAtMs };
  }

  #report(error: unknown): undefined {
    const nowMs = this.clock.monotonicMs();
    if (nowMs < this.#failedAtMs + REPORT_PAUSE_MS) return undefined;
    this.#failedAtMs = nowMs;
    this.onFailure(error instanceof Error ? error.message : 'unknown');
    return undefined;
  }
}

/** What was written by another form of this library is of no use. */
function orUndefined<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
