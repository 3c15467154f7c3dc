/** Handshakes: the HTTP request by which each socket was opened. */
import type { AdaptedRequest } from '../extension/index.js';

/** Of ws, whose sockets do not know it. */
const requests = new WeakMap<object, AdaptedRequest>();

export function rememberHandshake(socket: object, request: AdaptedRequest): void {
  requests.set(socket, request);
}

/** Undefined for a socket of ws that a server without `guardHandshakes()` took. */
export function handshakeOf(socket: unknown): AdaptedRequest | undefined {
  if (typeof socket !== 'object' || socket === null) return undefined;
  const { request, handshake } = socket as { readonly request?: AdaptedRequest; readonly handshake?: unknown };
  // Sockets of socket.io have both.
  return requests.get(socket) ?? (handshake === undefined ? undefined : request);
}
