import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** A listener must not throw, since its error would end the process. */
export function listenTo(listeners: Readonly<Record<string, (message: never) => void>>): () => void {
  const all = Object.entries(listeners).map(
    ([name, listener]) => [name, (message: unknown) => listener(message as never)] as const,
  );
  for (const [name, listener] of all) subscribe(name, listener);
  return () => {
    for (const [name, listener] of all) unsubscribe(name, listener);
  };
}
