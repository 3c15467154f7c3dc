export interface LoggedEvent {
  readonly id: string;
  readonly time: number;
}

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
