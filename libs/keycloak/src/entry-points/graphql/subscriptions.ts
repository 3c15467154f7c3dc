import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import type { CallContext, AdaptedRequest, LongLivedConnection } from '../extension/index.js';
import { contextOf, isSubscription, withoutRequest } from './operation-context.js';

interface ConnectionContext {
  /** Set by Apollo. */
  readonly req?: Partial<GraphqlWsContext>;
  readonly request?: UpgradedRequest;
  readonly _connectionInit?: unknown;
}

interface GraphqlWsContext {
  readonly connectionParams?: unknown;
  readonly extra: { readonly request?: unknown; readonly socket?: unknown };
}

interface WebSocketLike {
  readonly readyState: number;
  close(code: number, reason: string): void;
}

/** An `Upgrade` header does not prove an upgrade; after an upgrade, @fastify/websocket sets `ws`. */
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

/** The close code of graphql-transport-ws after which conforming clients do not reconnect by themselves. */
const UNAUTHORIZED = 4401;

/** Throws `BearerError` if the context has no connection that the guard could close. */
export function subscriptionOf(call: CallContext): Subscription | undefined {
  const subscription = webSocketOf(contextOf(call));
  if (subscription !== undefined || !isSubscription(call)) return subscription;
  throw withoutRequest(
    'The context of a subscription has no connection. Keep "extra" and "connectionParams" in the object that the option "context" returns',
  );
}

/**
 * Recognizes requests and sockets by their class, since a caller controls the connection parameters and the arguments.
 */
export function webSocketOf(given: object): Subscription | undefined {
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
 * Adds `authorization` of the connection parameters, since a browser can't set a WebSocket's headers. A header and a
 * parameter together count as two credentials.
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
