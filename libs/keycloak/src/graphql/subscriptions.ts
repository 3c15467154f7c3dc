/** Subscriptions: the request and the socket behind an operation that stays open. */
import type { CarriedRequest, LongLivedConnection } from '../ports/credential-carrier.js';

/** The context of graphql-ws. */
export interface GraphqlWsContext {
  readonly connectionParams?: unknown;
  readonly extra: { readonly request: CarriedRequest; readonly socket: WebSocketLike };
}

interface WebSocketLike {
  readonly readyState: number;
  close(code: number, reason: string): void;
}

/** What Mercurius gives of a subscription: the request of the handshake, whose TCP connection became the WebSocket. */
interface UpgradedRequest {
  readonly raw?: { readonly socket?: { readonly destroyed: boolean; destroy(): void } };
}

const OPEN = 1;

/** Those that the protocol graphql-transport-ws uses for it; clients that follow it don't connect again by themselves. */
const UNAUTHORIZED = 4401;

/** The connection of a subscription; undefined for an operation over HTTP. */
export function subscriptionSocket(context: object): LongLivedConnection | undefined {
  const { req, request } = context as { readonly req?: Partial<GraphqlWsContext>; readonly request?: UpgradedRequest };
  if (req?.extra !== undefined) {
    const { socket } = req.extra;
    return {
      key: socket,
      isOpen: () => socket.readyState === OPEN,
      close: () => socket.close(UNAUTHORIZED, 'Unauthorized'),
    };
  }
  const socket = request?.raw?.socket;
  if (socket === undefined) return undefined;
  return { key: socket, isOpen: () => !socket.destroyed, close: () => socket.destroy() };
}

/**
 * The request of the handshake, as if `authorization` of the connection parameters had been among its headers: clients in a browser have
 * no other place for it. Both together are two credentials.
 */
export function withConnectionParams(handshake: CarriedRequest, parameters: unknown): CarriedRequest {
  const received = Object.entries(Object(parameters) as object).filter(
    ([name]) => name.toLowerCase() === 'authorization',
  );
  if (received.length === 0) return handshake;
  const source = handshake.raw?.rawHeaders === undefined ? handshake : handshake.raw;
  const added = received.flatMap(([name, value]) => [name, String(value)]);
  return {
    headers: handshake.headers,
    rawHeaders: [...(source.rawHeaders ?? []), ...added],
    url: handshake.url,
    query: handshake.query,
  };
}
