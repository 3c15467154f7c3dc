import { channel, type Channel } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { testTokenChannel } from '../test-token-channel.js';
import { codeIn, tokensIn } from './token-answers.js';
import { undiciChannels } from './undici-channels.js';

export interface TokenListener {
  token(text: string): void;
  code(text: string): void;
}

interface SentRequest {
  readonly body: unknown;
}

const MAX_BYTES = 1024 * 1024;
/** The minimum length of a received token, because tests invent shorter tokens and may print them. */
const MIN_RECEIVED_LENGTH = 32;

/**
 * Reads tokens from the diagnostics channels of Node and undici, so that the tested code needs no hook. The scanner
 * does not see responses to other HTTP clients, such as `fetch` of Node 20 and 22.
 */
export function watchPassingTokens(listener: TokenListener): () => void {
  const answers = new WeakMap<SentRequest, { bytes: number; chunks: Uint8Array[] }>();
  const arrived = ({ request }: { readonly request: IncomingMessage }): void => {
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token !== undefined && token.length >= MIN_RECEIVED_LENGTH) listener.token(token);
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
    // The chunk is copied, because undici may reuse its memory.
    if (answer.bytes <= MAX_BYTES) answer.chunks.push(Uint8Array.from(chunk));
  };
  const ended = ({ request }: { readonly request: SentRequest }): void => {
    const answer = answers.get(request);
    if (answer === undefined || answer.bytes > MAX_BYTES) return;
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
