import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { INTROSPECTION_CHANNEL, type IntrospectionMessage } from '../src/entry-points/diagnostics/index.js';

export class AskedIntrospections {
  count = 0;

  readonly #listener = (message: unknown): void => {
    if ((message as IntrospectionMessage).outcome === 'asked') this.count += 1;
  };

  constructor() {
    subscribe(INTROSPECTION_CHANNEL, this.#listener);
  }

  stop(): void {
    unsubscribe(INTROSPECTION_CHANNEL, this.#listener);
  }
}
