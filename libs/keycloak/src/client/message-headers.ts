import { inspect } from 'node:util';
import type { IssuedToken } from '../protocol/issued-token.js';

/** Message headers with a token; `util.inspect` hides the token. */
export interface MessageHeaders {
  readonly authorization: string;
}

export function messageHeadersOf(token: IssuedToken): MessageHeaders {
  const headers = { authorization: `Bearer ${token.reveal()}` };
  // The `inspect` function is not enumerable, because transports send every enumerable property.
  return Object.defineProperty(headers, inspect.custom, { value: () => `MessageHeaders(${token.fingerprint})` });
}
