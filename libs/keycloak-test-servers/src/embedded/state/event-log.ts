/** EventLog: the events of one kind, in the order in which they happened. */

/** What every event has. */
export interface LoggedEvent {
  readonly id: string;
  /** Milliseconds since 1970, by the server's clock. */
  readonly time: number;
}

/** The events that a log keeps. Keycloak keeps all of them until they expire. */
export const MAX_EVENTS = 10_000;

export class EventLog<E extends LoggedEvent> {
  #events: E[] = [];

  /** Drops the oldest event if the log is full. */
  add(event: E): void {
    if (this.#events.length === MAX_EVENTS) this.#events.shift();
    this.#events.push(event);
  }

  /** From the oldest to the newest. */
  all(): readonly E[] {
    return this.#events;
  }

  clear(): void {
    this.#events = [];
  }
}
