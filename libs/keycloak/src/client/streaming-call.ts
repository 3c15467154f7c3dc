/** Streaming call: a call with any body by a ServiceCaller, and what came back. For entry points of the library. */
import type { Refusal } from '../protocol/refusal.js';
import { checkHeaders } from './call-headers.js';
import { jsonIn } from './service-call-rules.js';
import type { ServiceCaller } from './service-client.js';
import { StreamingExchange, type StreamingRequest, type StreamingResponse } from './streaming-exchange.js';

/** What came back, and the error that it is where it is no success. */
export interface StreamingAnswer {
  readonly response: StreamingResponse;
  readonly failure: () => Refusal;
  /** Whether the text holds a token that was sent, be it with escapes of JSON. */
  readonly holdsToken: (text: string) => boolean;
}

/**
 * Any status is an answer. Throws what `ServiceCaller.request` throws of a call without one. A token that the service refuses is renewed; the request is then sent once more if its body can be.
 */
export async function sendStreaming(caller: ServiceCaller, request: StreamingRequest): Promise<StreamingAnswer> {
  request.signal?.throwIfAborted();
  // Before a token is asked for.
  checkHeaders(request.headers);
  const path = caller.paths.of(request.url);
  const exchange = new StreamingExchange(request);
  const sent = await caller.send(exchange, path);
  const { response, token, refused } = sent;
  return {
    response,
    failure: () =>
      caller.failureOf({ ...sent, response: { ...response, body: jsonIn(response.body) } }, exchange, path),
    holdsToken: (text) => {
      const texts = [text, withoutEscapes(text)];
      return [token, refused].some((one) => one !== undefined && texts.some((each) => each.includes(one.reveal())));
    },
  };
}

/** As a parser of JSON reads it (RFC 8259 §7): some write a slash with an escape, and any character may be written by its number. */
const withoutEscapes = (text: string): string =>
  text.replaceAll(/\\(?:u([\da-f]{4})|([/\\"]))/gi, (_, code: string | undefined, plain: string) =>
    code === undefined ? plain : String.fromCharCode(Number.parseInt(code, 16)),
  );
