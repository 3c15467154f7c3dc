export interface LoggedEvent {
  readonly id: string;
  /** The time of the event in milliseconds since 1970, on the server's clock. */
  readonly time: number;
}

/** Keycloak has no such limit. */
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
