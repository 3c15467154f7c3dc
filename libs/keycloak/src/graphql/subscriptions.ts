/** Subscriptions: the request and the socket behind an operation that stays open. */
import type { CarriedRequest, LongLivedConnection } from '../ports/credential-carrier.js';
import { contextOf, isSubscription, withoutRequest } from './operation-context.js';

/** Where the drivers put what belongs to the connection. */
interface ConnectionContext {
  /** Apollo's: the context of graphql-ws. */
  readonly req?: Partial<GraphqlWsContext>;
  /** Mercurius'. */
  readonly request?: UpgradedRequest;
  readonly _connectionInit?: unknown;
}

interface GraphqlWsContext {
  readonly connectionParams?: unknown;
  readonly extra: { readonly request: CarriedRequest; readonly socket: WebSocketLike };
}

interface WebSocketLike {
  readonly readyState: number;
  close(code: number, reason: string): void;
}

/** The request of the handshake, whose TCP connection became the WebSocket. */
type UpgradedRequest = CarriedRequest & {
  readonly raw?: { readonly socket?: { readonly destroyed: boolean; destroy(): void } };
};

export interface Subscription {
  readonly handshake: CarriedRequest;
  readonly parameters: unknown;
  readonly connection: LongLivedConnection;
}

const OPEN = 1;

/** Those that the protocol graphql-transport-ws uses for it; clients that follow it don't connect again by themselves. */
const UNAUTHORIZED = 4401;

/**
 * The connection of an operation over a WebSocket; undefined for one over HTTP. Throws `BearerError` for a subscription whose connection is
 * not to be found: it would outlive its token.
 */
export function subscriptionOf(args: readonly unknown[]): Subscription | undefined {
  // An application's own context may have the parts of that of graphql-ws beside its `req`.
  const context = contextOf(args) as ConnectionContext & Partial<GraphqlWsContext>;
  const { req, request, _connectionInit } = context;
  const overGraphqlWs = req?.extra === undefined ? context : req;
  if (overGraphqlWs.extra?.socket !== undefined) {
    const { socket, request: handshake } = overGraphqlWs.extra;
    const close = (): void => socket.close(UNAUTHORIZED, 'Unauthorized');
    const connection = { key: socket, isOpen: () => socket.readyState === OPEN, close };
    return { handshake, parameters: overGraphqlWs.connectionParams, connection };
  }
  const socket = request?.raw?.socket;
  if (request !== undefined && socket !== undefined && /^websocket$/i.test(String(request.headers['upgrade']))) {
    const connection = { key: socket, isOpen: () => !socket.destroyed, close: () => void socket.destroy() };
    return { handshake: request, parameters: _connectionInit, connection };
  }
  if (!isSubscription(args)) return undefined;
  throw withoutRequest(
    'The context of a subscription has no connection: keep "extra" and "connectionParams" in what the option "context" returns',
  );
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
  const added = received.flatMap(([name, value]) => [name, typeof value === 'string' ? value : '']);
  return {
    headers: handshake.headers,
    rawHeaders: [...(source.rawHeaders ?? []), ...added],
    url: handshake.url,
    query: handshake.query,
  };
}
