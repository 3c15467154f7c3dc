/** Flights: the calls for a key that are in flight, which others join instead of making their own. */

export interface Flight {
  readonly startedAtMs: number;
  /** No caller joins it any more, and its result is not cached: a newer one is known, or the key was evicted. */
  readonly isDetached: boolean;
}

interface RunningFlight<V> {
  readonly startedAtMs: number;
  isDetached: boolean;
  result: Promise<V> | undefined;
}

/** Waiting callers share the result or the failure. Later callers start a new flight. */
export class Flights<V> {
  /** By key, in the order of their start. */
  readonly #flights = new Map<string, Set<RunningFlight<V>>>();

  /** `onLanded` is called with each key whose flight has ended, when it is no longer among those in flight. */
  constructor(private readonly onLanded: (key: string) => void = () => undefined) {}

  /**
   * Joins the flight for `key` that started last, where `canJoin` says so, and starts one otherwise. `start` receives
   * its own flight, and can read after each wait whether it was detached.
   */
  run(key: string, start: (flight: Flight) => Promise<V>, nowMs = 0, maxAgeMs = Number.POSITIVE_INFINITY): Promise<V> {
    const running = this.#joinable(key, nowMs, maxAgeMs);
    if (running?.result !== undefined) return running.result;
    const flight: RunningFlight<V> = { startedAtMs: nowMs, isDetached: false, result: undefined };
    const flights = this.#flights.get(key) ?? new Set();
    this.#flights.set(key, flights.add(flight));
    const result = this.#fly(key, flight, start);
    flight.result = result;
    return result;
  }

  /** Whether a new caller would join: no caller joins a flight that is detached or `maxAgeMs` old. */
  canJoin(key: string, nowMs = 0, maxAgeMs = Number.POSITIVE_INFINITY): boolean {
    return this.#joinable(key, nowMs, maxAgeMs) !== undefined;
  }

  /** Whether a flight for `key` is running, a detached one included. */
  isInFlight(key: string): boolean {
    return this.#flights.has(key);
  }

  /** Detaches the flights for `key`: new callers start another one, and waiting callers still get the result. */
  detach(key: string): void {
    for (const flight of this.#flights.get(key) ?? []) flight.isDetached = true;
  }

  /** Detaches the flights for `key` that started before `than`. */
  detachEarlier(key: string, than: Flight): void {
    for (const flight of this.#flights.get(key) ?? []) {
      if (flight === than) return;
      flight.isDetached = true;
    }
  }

  #joinable(key: string, nowMs: number, maxAgeMs: number): RunningFlight<V> | undefined {
    const last = [...(this.#flights.get(key) ?? [])].at(-1);
    return last !== undefined && !last.isDetached && nowMs - last.startedAtMs < maxAgeMs ? last : undefined;
  }

  async #fly(key: string, flight: RunningFlight<V>, start: (flight: Flight) => Promise<V>): Promise<V> {
    try {
      return await start(flight);
    } finally {
      const flights = this.#flights.get(key);
      flights?.delete(flight);
      if (flights?.size === 0) this.#flights.delete(key);
      this.onLanded(key);
    }
  }
}
