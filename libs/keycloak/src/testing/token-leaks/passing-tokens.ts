/** watchPassingTokens(): tells every token that comes into this process: in an answer to it, or in a request to it. */
import { channel, type Channel } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { testTokenChannel } from '../test-token-channel.js';
import { codeIn, tokensIn } from './token-answers.js';
import { undiciChannels } from './undici-channels.js';

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
  const arrived = ({ request }: { readonly request: IncomingMessage }): void => {
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token !== undefined && token.length >= SHORTEST_RECEIVED) listener.token(token);
  };
  const sent = ({ request }: { readonly request: SentRequest }): void => {
    answers.set(request, { bytes: 0, chunks: [] });
    const code = request.body instanceof Uint8Array ? codeIn(Buffer.from(request.body).toString()) : undefined;
    if (code !== undefined) listener.code(code);
  };
  const received = ({ request, chunk }: { readonly request: SentRequest; readonly chunk: Uint8Array }): void => {
    const answer = answers.get(request);
    if (answer === undefined) return;
    answer.bytes += chunk.length;
    // The memory is undici's, which may use it again.
    if (answer.bytes <= MOST_BYTES) answer.chunks.push(Uint8Array.from(chunk));
  };
  const ended = ({ request }: { readonly request: SentRequest }): void => {
    const answer = answers.get(request);
    if (answer === undefined || answer.bytes > MOST_BYTES) return;
    answers.delete(request);
    for (const token of tokensIn(Buffer.concat(answer.chunks).toString())) listener.token(token);
  };
  const unsubscribe = [
    subscribe([channel('http.server.request.start')], arrived),
    subscribe([testTokenChannel], (text: string) => listener.token(text)),
    subscribe(undiciChannels('create'), sent),
    subscribe(undiciChannels('bodyChunkReceived'), received),
    subscribe(undiciChannels('trailers'), ended),
  ];
  return () => unsubscribe.forEach((one) => one());
}

function subscribe(channels: readonly Channel[], subscriber: (message: never) => void): () => void {
  const receive = subscriber as (message: unknown) => void;
  for (const one of channels) one.subscribe(receive);
  return () => {
    for (const one of channels) one.unsubscribe(receive);
  };
}
