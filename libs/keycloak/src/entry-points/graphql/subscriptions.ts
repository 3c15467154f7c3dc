/** Subscriptions: the request and the socket behind an operation that stays open. */
import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import type { CallContext, AdaptedRequest, LongLivedConnection } from '../extension/index.js';
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
  readonly extra: { readonly request?: unknown; readonly socket?: unknown };
}

/** A WebSocket of ws. */
interface WebSocketLike {
  readonly readyState: number;
  close(code: number, reason: string): void;
}

/** A request of Fastify. @fastify/websocket says in `ws` whether it was upgraded; the header `Upgrade` is the caller's word alone. */
type UpgradedRequest = AdaptedRequest & {
  readonly ws?: boolean;
  readonly raw?: { readonly socket?: { readonly destroyed: boolean; destroy(): void } };
};

export interface Subscription {
  readonly handshake: AdaptedRequest;
  readonly parameters: unknown;
  readonly connection: LongLivedConnection;
}

const OPEN = 1;

/** The closing code that the protocol graphql-transport-ws uses for it; clients that follow it don't connect again by themselves. */
const UNAUTHORIZED = 4401;

/**
 * The connection of an operation over a WebSocket; undefined for one over HTTP. Throws `BearerError` for a subscription whose connection is
 * not to be found: it would outlive its token.
 */
export function subscriptionOf(call: CallContext): Subscription | undefined {
  const subscription = webSocketOf(contextOf(call));
  if (subscription !== undefined || !isSubscription(call)) return subscription;
  throw withoutRequest(
    'The context of a subscription has no connection: keep "extra" and "connectionParams" in what the option "context" returns',
  );
}

/**
 * The WebSocket of a context. Only objects of the right class count: a request of Node is a stream, and a socket of ws an event emitter. Connection parameters and
 * arguments are JSON that a caller sent, whatever their members are called.
 */
export function webSocketOf(given: object): Subscription | undefined {
  // An application's own context may have the parts of the context of graphql-ws beside its `req`.
  const context = given as ConnectionContext & Partial<GraphqlWsContext>;
  return ofGraphqlWs(context.req) ?? ofGraphqlWs(context) ?? ofMercurius(context);
}

function ofGraphqlWs(context: Partial<GraphqlWsContext> | undefined): Subscription | undefined {
  const { request: handshake, socket } = Object(context?.extra) as Partial<GraphqlWsContext['extra']>;
  if (!isRequest(handshake) || !isWebSocket(socket)) return undefined;
  const close = (): void => socket.close(UNAUTHORIZED, 'Unauthorized');
  const connection = { key: socket, isOpen: () => socket.readyState === OPEN, close };
  return { handshake, parameters: context?.connectionParams, connection };
}

const isRequest = (value: unknown): value is AdaptedRequest & Readable => value instanceof Readable;

const isWebSocket = (value: unknown): value is WebSocketLike & EventEmitter => value instanceof EventEmitter;

function ofMercurius({ request, _connectionInit: parameters }: ConnectionContext): Subscription | undefined {
  const socket = request?.raw?.socket;
  if (request?.ws !== true || !isRequest(request.raw) || socket === undefined) return undefined;
  const connection = { key: socket, isOpen: () => !socket.destroyed, close: () => void socket.destroy() };
  return { handshake: request, parameters, connection };
}

/**
 * The request of the handshake, as if `authorization` of the connection parameters had been among its headers: clients in a browser have
 * no other place for it. Both together are two credentials.
 */
export function withConnectionParams(handshake: AdaptedRequest, parameters: unknown): AdaptedRequest {
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
