/** Event stream: the answer of a handler of `@Sse()`, over which its caller goes on listening. */
import type { LongLivedConnection } from './request.adapter.js';

/** Nest's own key, as text. */
const SSE = '__sse__';

export const isEventStream = (handler: object): boolean => Reflect.getMetadata(SSE, handler) === true;

/** An answer of Node. */
interface Answer {
  /** By HTTP/1.1. */
  readonly closed?: boolean;
  /** By HTTP/2. */
  readonly stream?: { readonly destroyed: boolean };
  once(event: 'close', listener: () => void): unknown;
  destroy(): void;
}

/** `response` is that of Express, or of Fastify. */
export function eventStreamOf(response: object): LongLivedConnection {
  const { raw: answer = response as Answer } = response as { readonly raw?: Answer };
  // Its listener may have gone while the token was judged.
  let isOpen = answer.closed !== true && answer.stream?.destroyed !== true;
  answer.once('close', () => {
    isOpen = false;
  });
  // Not ended, since its source goes on writing until it hears of that.
  return { key: answer, isOpen: () => isOpen, close: () => answer.destroy() };
}
