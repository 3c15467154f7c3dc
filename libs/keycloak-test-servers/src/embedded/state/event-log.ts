export interface LoggedEvent {
  readonly id: string;
  /** Milliseconds since 1970, by the server's clock. */
  readonly time: number;
}

/** Keycloak keeps all events until they expire. */
export const MAX_EVENTS = 10_000;

export class EventLog<E extends LoggedEvent> {
  #events: E[] = [];

  add(event: E): void {
    if (this.#events.length === MAX_EVENTS) this.#events.shift();
    this.#events.push(event);
  }

  all(): readonly E[] {
    return this.#events;
  }

  clear(): void {
    this.#events = [];
  }
}
