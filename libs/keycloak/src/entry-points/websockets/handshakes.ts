/** Handshakes: the HTTP request that opened each socket. */
import type { AdaptedRequest } from '../extension/index.js';

/** For ws, since its sockets have no reference to their request. */
const requests = new WeakMap<object, AdaptedRequest>();

export function rememberHandshake(socket: object, request: AdaptedRequest): void {
  requests.set(socket, request);
}

/** Undefined for a ws socket of a server without `guardHandshakes()`. */
export function handshakeOf(socket: unknown): AdaptedRequest | undefined {
  if (typeof socket !== 'object' || socket === null) return undefined;
  const { request, handshake } = socket as { readonly request?: AdaptedRequest; readonly handshake?: unknown };
  // A socket.io socket has both members.
  return requests.get(socket) ?? (handshake === undefined ? undefined : request);
}
