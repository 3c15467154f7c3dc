import type { AdaptedRequest } from '../extension/index.js';

const requests = new WeakMap<object, AdaptedRequest>();

export function rememberHandshake(socket: object, request: AdaptedRequest): void {
  requests.set(socket, request);
}

export function handshakeOf(socket: unknown): AdaptedRequest | undefined {
  if (typeof socket !== 'object' || socket === null) return undefined;
  const { request, handshake } = socket as { readonly request?: AdaptedRequest; readonly handshake?: unknown };
  return requests.get(socket) ?? (handshake === undefined ? undefined : request);
}
