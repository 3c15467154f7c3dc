import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import type { Connections } from './connections.js';
import { answerUnreadable, refuseUnreadable, type UnreadableFault } from './unreadable-request.js';

export interface ConnectionLimits {
  /** The time limit for the header of a request, from the first byte or from the start of the connection. */
  readonly headersTimeoutMs: number;
  /** The time limit until the whole request has arrived. The answer has no time limit, since it may be a stream. */
  readonly requestTimeoutMs: number;
  readonly checkEveryMs: number;
  readonly keepAliveTimeoutMs: number;
  /** The server closes further connections immediately, and does not read their requests. */
  readonly maxConnections: number;
  /** The number of requests that a connection may send before the first answer. */
  readonly maxPipelined: number;
  /** The time for which a client may leave the bytes of an answer unread. */
  readonly unreadTimeoutMs: number;
  /** The time after the start of the shutdown in which open connections still accept new requests. */
  readonly arrivalMs: number;
  /** The time after the start of the shutdown in which running requests may continue. */
  readonly drainMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  checkEveryMs: 1000,
  // Exceeds the timeout of proxies (usually 60 s), so that no proxy uses a closed connection.
  keepAliveTimeoutMs: 72_000,
  // An unfinished body may occupy 100 KB per connection, 200 MB in total.
  maxConnections: 2000,
  // With pages of about 12 KB, all unread answers together occupy at most 200 MB.
  maxPipelined: 8,
  unreadTimeoutMs: 30_000,
  arrivalMs: 100,
  // This time and the shutdown delay (5 s) together are below the 10 s that Docker gives a container.
  drainMs: 4000,
};

const LOG_INTERVAL_MS = 60_000;

export function limitedServer(limits: ConnectionLimits, connections: Connections, handler: RequestListener): Server {
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.checkEveryMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      // The service refuses requests without `Host`, since Node's answer would have an empty body.
      requireHostHeader: false,
    },
    (request, response) => {
      if (!connections.admits(response)) return;
      if (!hasOneHost(request)) refuse(response, 'no_host');
      // Fastify runs no hooks for the target `*`, so Fastify's answer would lack the security headers.
      else if (request.url === '*' && request.method !== 'OPTIONS') refuse(response, 'no_target');
      else handler(request, response);
    },
  );
  const refuse = (response: ServerResponse, fault: UnreadableFault): void => {
    connections.endWith(response);
    refuseUnreadable(response, fault);
  };
  server.on('checkExpectation', (_request, response: ServerResponse) => {
    if (connections.admits(response)) refuse(response, 'expectation');
  });
  server.maxConnections = limits.maxConnections;
  // With a limit, Node would silently drop headers, such as a token or a cookie. Node limits the size of all headers
  // together to 16 KB.
  server.maxHeadersCount = 0;
  server.on('connection', (socket: Socket) => connections.opened(socket));
  server.timeout = limits.unreadTimeoutMs;
  // Node also emits `timeout` for idle keep-alive connections, which the listener must close.
  server.on('timeout', (socket: Socket) => {
    if (connections.isIdle(socket)) socket.destroy();
  });
  server.on('drop', dropLogger(limits.maxConnections));
  return server;
}

/**
 * Whether the request has exactly one `Host` (RFC 9112 §3.2). HTTP/1.0 also permits a request that has no `Host`. Node
 * shows only the first `Host`; a proxy may use another `Host`.
 */
function hasOneHost({ headers, httpVersion, rawHeaders }: IncomingMessage): boolean {
  if (headers.host === undefined) return httpVersion === '1.0';
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts === 1;
}

/** Fastify never sees requests that Node can't parse, or that arrive too late. */
export const answerUnreadableRequests =
  (connections: Connections) =>
  (error: NodeJS.ErrnoException, socket: Socket): void =>
    answerUnreadable(error, socket, connections.canAnswerNow(socket));

function dropLogger(maxConnections: number): () => void {
  const logger = new Logger('Connections');
  let loggedAt = -Infinity;
  return () => {
    if (performance.now() - loggedAt < LOG_INTERVAL_MS) return;
    loggedAt = performance.now();
    logger.warn(`Connection limit of ${maxConnections} reached: new connections are closed unread`);
  };
}
