import type { LongLivedConnection } from './request.adapter.js';

const SSE = '__sse__';

export const isEventStream = (handler: object): boolean => Reflect.getMetadata(SSE, handler) === true;

interface Answer {
  /** HTTP/1.1 */
  readonly closed?: boolean;
  /** HTTP/2 */
  readonly stream?: { readonly destroyed: boolean };
  on(event: 'close', listener: () => void): unknown;
  destroy(): void;
}

/** Calls `ended` with the key of the connection when the response closes, unless the response has closed before. */
export function responseStreamOf(response: object, ended: (key: object) => void): LongLivedConnection {
  const { raw: answer = response as Answer } = response as { readonly raw?: Answer };
  // The caller may have disconnected while the token was verified.
  let isOpen = answer.closed !== true && answer.stream?.destroyed !== true;
  answer.on('close', () => {
    isOpen = false;
    ended(answer);
  });
  // Calls `destroy()` instead of `end()`, because the event source writes until the connection closes.
  return { key: answer, isOpen: () => isOpen, close: () => answer.destroy() };
}
