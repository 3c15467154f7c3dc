/** watchPassingTokens(): tells every token that comes into this process: in an answer to it, or in a request to it. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { testTokenChannel } from '../test-token-channel.js';
import { codeIn, tokensIn } from './token-answers.js';

export interface TokenListener {
  token(text: string): void;
  /** An authorization code, as it is redeemed. */
  code(text: string): void;
}

/** Of undici, as far as it matters here. */
interface SentRequest {
  readonly body: unknown;
}

/** An answer with tokens is small. */
const MOST_BYTES = 1024 * 1024;
/** A made-up one in a test is shorter, and stands in messages by right. */
const SHORTEST_RECEIVED = 32;

/**
 * Looks at what Node and undici publish to anybody in the process (`node:diagnostics_channel`), so that the product lets no
 * token out for this: the `Authorization` header of requests that arrive at an HTTP server, and the answers of token endpoints.
 * It does not see what comes by another client than undici: the `fetch` of Node 20 and 22 tells of no answers. Gives what ends
 * it.
 */
export function watchPassingTokens(listener: TokenListener): () => void {
  const answers = new WeakMap<SentRequest, { bytes: number; chunks: Uint8Array[] }>();
  const subscribers: Readonly<Record<string, (message: never) => void>> = {
    'http.server.request.start': ({ request }: { readonly request: IncomingMessage }) => {
      const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
      if (token !== undefined && token.length >= SHORTEST_RECEIVED) listener.token(token);
    },
    'undici:request:create': ({ request }: { readonly request: SentRequest }) => {
      answers.set(request, { bytes: 0, chunks: [] });
      const code = request.body instanceof Uint8Array ? codeIn(Buffer.from(request.body).toString()) : undefined;
      if (code !== undefined) listener.code(code);
    },
    'undici:request:bodyChunkReceived': (message: { readonly request: SentRequest; readonly chunk: Uint8Array }) => {
      const answer = answers.get(message.request);
      if (answer === undefined) return;
      answer.bytes += message.chunk.length;
      // The memory is undici's, which may use it again.
      if (answer.bytes <= MOST_BYTES) answer.chunks.push(Uint8Array.from(message.chunk));
    },
    'undici:request:trailers': ({ request }: { readonly request: SentRequest }) => {
      const answer = answers.get(request);
      if (answer === undefined || answer.bytes > MOST_BYTES) return;
      for (const token of tokensIn(Buffer.concat(answer.chunks).toString())) listener.token(token);
    },
  };
  const entries = Object.entries(subscribers) as [string, (message: unknown) => void][];
  for (const [name, subscriber] of entries) subscribe(name, subscriber);
  const ofTestingKit = (text: unknown): void => listener.token(text as string);
  testTokenChannel.subscribe(ofTestingKit);
  return () => {
    testTokenChannel.unsubscribe(ofTestingKit);
    for (const [name, subscriber] of entries) unsubscribe(name, subscriber);
  };
}
