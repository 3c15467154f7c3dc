import type { KeycloakException } from '../protocol/keycloak-exception.js';
import { checkHeaders } from './call-headers.js';
import { jsonIn } from './service-call-rules.js';
import type { ServiceCaller } from './service-client.js';
import { StreamingExchange, type StreamingRequest, type StreamingResponse } from './streaming-exchange.js';

export interface StreamingAnswer {
  readonly response: StreamingResponse;
  readonly failure: () => KeycloakException;
  readonly holdsToken: (text: string) => boolean;
}

export async function sendStreaming(caller: ServiceCaller, request: StreamingRequest): Promise<StreamingAnswer> {
  request.signal?.throwIfAborted();
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

/** JSON can escape a slash, and write any character as its code (RFC 8259 §7). */
const withoutEscapes = (text: string): string =>
  text.replaceAll(/\\(?:u([\da-f]{4})|([/\\"]))/gi, (_, code: string | undefined, plain: string) =>
    code === undefined ? plain : String.fromCharCode(Number.parseInt(code, 16)),
  );
