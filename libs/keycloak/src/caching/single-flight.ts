/** SingleFlight: while one call for a key runs, everyone who wants the same waits for it. */

/** Results and failures alike are shared by those who wait and kept for nobody who comes later. */
export class SingleFlight<V> {
  readonly #flights = new Map<string, Promise<V>>();

  async run(key: string, start: () => Promise<V>): Promise<V> {
    const running = this.#flights.get(key);
    if (running !== undefined) return running;
    // Only this call, the flight's owner, clears the slot.
    const flight = start().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }
}
