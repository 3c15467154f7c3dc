/** Message headers: a token of ours as the headers of a message, for NATS, RabbitMQ and gRPC. */
import { inspect } from 'node:util';
import type { IssuedToken } from '../protocol/issued-token.js';

/** What printing it shows has no token; its only property has one. */
export interface MessageHeaders {
  readonly authorization: string;
}

export function messageHeadersOf(token: IssuedToken): MessageHeaders {
  const headers = { authorization: `Bearer ${token.reveal()}` };
  // Not enumerable: transports send every property that is.
  return Object.defineProperty(headers, inspect.custom, { value: () => `MessageHeaders(${token.fingerprint})` });
}
