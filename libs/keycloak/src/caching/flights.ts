/** Flights: the calls for a key that are in flight, which others join instead of making their own. */

export interface Flight {
  readonly startedAtMs: number;
  /** Nobody joins it any more, and what it brings is not kept: something newer is known, or it was evicted. */
  readonly isDetached: boolean;
}

interface RunningFlight<V> {
  readonly startedAtMs: number;
  isDetached: boolean;
  result: Promise<V> | undefined;
}

/** Results and failures alike are shared by those who wait, and kept for nobody who comes later. */
export class Flights<V> {
  /** By key, in the order of their start. */
  readonly #flights = new Map<string, Set<RunningFlight<V>>>();

  /** `onLanded` is called with each key whose flight has ended, when it is no longer among those in flight. */
  constructor(private readonly onLanded: (key: string) => void = () => undefined) {}

  /**
   * Joins the flight for `key` that started last, where `canJoin` says so, and starts one otherwise. `start` is handed its own
   * flight, of which it can ask, once it has waited for something, whether it was detached meanwhile.
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

  /** Whether any call for this key runs, be it one that nobody would join. */
  isInFlight(key: string): boolean {
    return this.#flights.has(key);
  }

  /** Whoever comes from now on begins anew; those who wait get what they wait for. */
  detach(key: string): void {
    for (const flight of this.#flights.get(key) ?? []) flight.isDetached = true;
  }

  /** The same of the flights for `key` that started before this one. */
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
