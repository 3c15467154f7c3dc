/** Subscriptions: listeners on channels of this process, by the names of the channels. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** What a listener throws would end the process: it must not. Returns what unsubscribes them all. */
export function listenTo(listeners: Readonly<Record<string, (message: never) => void>>): () => void {
  const all = Object.entries(listeners).map(
    ([name, listener]) => [name, (message: unknown) => listener(message as never)] as const,
  );
  for (const [name, listener] of all) subscribe(name, listener);
  return () => {
    for (const [name, listener] of all) unsubscribe(name, listener);
  };
}
