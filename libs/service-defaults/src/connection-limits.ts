import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import type { Connections } from './connections.js';
import { answerUnreadable, refuseUnreadable, type UnreadableFault } from './unreadable-request.js';

export interface ConnectionLimits {
  /** Time limit from the first byte of a request, or from the start of the connection, to the end of the header. */
  readonly headersTimeoutMs: number;
  /** Time limit until the whole request has arrived. The answer has no limit, since it may be a stream. */
  readonly requestTimeoutMs: number;
  readonly checkEveryMs: number;
  readonly keepAliveTimeoutMs: number;
  /** Further connections are closed at once without being read. */
  readonly maxConnections: number;
  /** Number of requests that a connection may send before the first request is answered. */
  readonly maxPipelined: number;
  /** How long a client may leave the bytes of an answer unread. */
  readonly unreadTimeoutMs: number;
  /** How long an open connection may take to send a request when the server closes. */
  readonly arrivalMs: number;
  /** How long requests in flight may take when the server closes. */
  readonly drainMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  checkEveryMs: 1000,
  // Longer than the timeout of proxies (usually 60 s), so that a proxy never sends a request on a closed connection.
  keepAliveTimeoutMs: 72_000,
  // Each connection may hold an unfinished body of 100 KB: 200 MB in total.
  maxConnections: 2000,
  // With pages of about 12 KB, unread answers take 200 MB in total.
  maxPipelined: 8,
  unreadTimeoutMs: 30_000,
  arrivalMs: 100,
  // Together with the shutdown delay (5 s), this is less than the 10 s that Docker gives a container.
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
      // The service refuses the request itself, since Node's own answer would have an empty body.
      requireHostHeader: false,
    },
    (request, response) => {
      if (!connections.admits(response)) return;
      if (!hasOneHost(request)) refuse(response, 'no_host');
      // Fastify runs no hook for this request, so its answer would lack our headers.
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
  // A limit would drop headers silently, possibly a token, a cookie or an Origin. Node limits all headers together to
  // 16 KB.
  server.maxHeadersCount = 0;
  server.on('connection', (socket: Socket) => connections.opened(socket));
  server.timeout = limits.unreadTimeoutMs;
  // Node also emits this event for idle keep-alive connections, which the listener must close.
  server.on('timeout', (socket: Socket) => {
    if (connections.isIdle(socket)) socket.destroy();
  });
  server.on('drop', dropLogger(limits.maxConnections));
  return server;
}

/**
 * RFC 9112 §3.2 requires exactly one `Host`, or none in HTTP/1.0. Node shows only the first `Host`, but a proxy may use
 * another.
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

/** Handles requests that Node can't parse or that did not arrive in time; Fastify never sees them. */
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
