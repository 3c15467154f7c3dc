/** SingleFlight: while one call for a key runs, everyone who wants the same waits for it. */

/** Results and failures alike are shared by those who wait and kept for nobody who comes later. */
export class SingleFlight<V> {
  readonly #flights = new Map<string, Promise<V>>();

  /** `onLanded` is told each key whose flight has ended, when its slot is free again or somebody else's. */
  constructor(private readonly onLanded: (key: string) => void = () => undefined) {}

  /** `start` can ask, once it has waited for something, whether its flight still has the slot or was let go meanwhile. */
  async run(key: string, start: (holdsSlot: () => boolean) => Promise<V>): Promise<V> {
    const running = this.#flights.get(key);
    if (running !== undefined) return running;
    const holdsSlot = (): boolean => this.#flights.get(key) === flight;
    const flight: Promise<V> = start(holdsSlot).finally(() => {
      // A later flight may have the slot by now: only the owner clears it.
      if (holdsSlot()) this.#flights.delete(key);
      this.onLanded(key);
    });
    this.#flights.set(key, flight);
    return flight;
  }

  /** Whether a call for this key runs, which whoever comes now would join. */
  isInFlight(key: string): boolean {
    return this.#flights.has(key);
  }

  /** Whoever comes from now on begins anew; those who wait get what they wait for. */
  detach(key: string): void {
    this.#flights.delete(key);
  }
}
