/** Concurrent callers of a key share the result or failure of a single call. */

export interface Flight {
  readonly startedAtMs: number;
  /**
   * A flight is detached after its key was evicted, or after a newer flight has ended. Later callers do not join a
   * detached flight, and the result of the flight is not cached.
   */
  readonly isDetached: boolean;
}

interface RunningFlight<V> {
  readonly startedAtMs: number;
  isDetached: boolean;
  result: Promise<V> | undefined;
}

export class Flights<V> {
  readonly #flights = new Map<string, Set<RunningFlight<V>>>();

  /** `onLanded` receives the key of each settled flight, after the flight was removed. */
  constructor(private readonly onLanded: (key: string) => void = () => undefined) {}

  /** After each `await`, `start` can read `flight.isDetached`. */
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

  canJoin(key: string, nowMs = 0, maxAgeMs = Number.POSITIVE_INFINITY): boolean {
    return this.#joinable(key, nowMs, maxAgeMs) !== undefined;
  }

  isInFlight(key: string): boolean {
    return this.#flights.has(key);
  }

  /** Callers that already wait for a detached flight still get its result. */
  detach(key: string): void {
    for (const flight of this.#flights.get(key) ?? []) flight.isDetached = true;
  }

  detachEarlier(key: string, than: Flight): void {
    for (const flight of this.#flights.get(key) ?? []) {
      if (flight === than) return;
      flight.isDetached = true;
    }
  }

  #joinable(key: string, nowMs: number, maxAgeMs: number): RunningFlight<V> | undefined {
    const flights = this.#flights.get(key);
    const last = flights && [...flights].at(-1);
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
