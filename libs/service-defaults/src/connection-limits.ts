/** Connection limits: how long a request may take to arrive, and how many connections a service holds. */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import type { Connections } from './connections.js';
import { answerUnreadable, refuseUnreadable } from './unreadable-request.js';

export interface ConnectionLimits {
  /** Until a request's header is there, from its first byte; and until a new connection has sent one. */
  readonly headersTimeoutMs: number;
  /** Until the whole request is there, its body too, however slowly it drips. The answer takes as long as it likes: a stream may. */
  readonly requestTimeoutMs: number;
  /** How often connections are held against the two above. */
  readonly checkEveryMs: number;
  /** How long a connection is kept that has nothing to do. */
  readonly keepAliveTimeoutMs: number;
  /** What comes beyond is closed at once, unread. */
  readonly maxConnections: number;
  /** Requests that a connection may send before the first of them is answered; the last of them ends it. */
  readonly maxPipelined: number;
  /** How long a connection may leave untaken what is written to it. */
  readonly untakenTimeoutMs: number;
  /** How long a connection without a request has to send one when the server closes: it may just have been made. */
  readonly arrivalMs: number;
  /** How long what is in flight may take when the server closes; then it is cut off. */
  readonly drainMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  checkEveryMs: 1000,
  // Longer than proxies keep theirs (60 s is usual): who closes first never closes under a request that the other has just sent.
  keepAliveTimeoutMs: 72_000,
  // Each may hold a body of 100 KB that is never finished: 200 MB.
  maxConnections: 2000,
  // More than any client sends, few of which send a second. Pages are some 12 KB: 200 MB again, when nobody takes them.
  maxPipelined: 8,
  untakenTimeoutMs: 30_000,
  arrivalMs: 100,
  // With the delay of a shutdown, 5 s, less than the 10 s that Docker gives a container.
  drainMs: 4000,
};

const TELL_AGAIN_AFTER_MS = 60_000;

/** A server that keeps to the limits; Fastify makes its own without any. */
export function limitedServer(limits: ConnectionLimits, connections: Connections, handler: RequestListener): Server {
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.checkEveryMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      // Node would answer by itself, with nothing.
      requireHostHeader: false,
    },
    (request, response) => {
      if (request.headers.host === undefined && request.httpVersion !== '1.0') refuseUnreadable(response, 'no_host');
      else if (connections.admits(response)) handler(request, response);
    },
  );
  server.on('checkExpectation', (_request, response: ServerResponse) => refuseUnreadable(response, 'expectation'));
  server.maxConnections = limits.maxConnections;
  // None is dropped unseen: it could be a token, a cookie or an Origin. All of them are 16 KB at most.
  server.maxHeadersCount = 0;
  server.on('connection', (socket: Socket) => connections.opened(socket));
  server.timeout = limits.untakenTimeoutMs;
  // Also told of a connection that is kept and has nothing to do; who listens here has to end that as well.
  server.on('timeout', (socket: Socket) => {
    if (connections.isIdle(socket)) socket.destroy();
  });
  server.on('drop', dropTeller(limits.maxConnections));
  return server;
}

/** What Node can't read, or did not get in time, never comes to Fastify. */
export const answerWhatIsUnreadable =
  (connections: Connections) =>
  (error: NodeJS.ErrnoException, socket: Socket): void =>
    answerUnreadable(error, socket, connections.canAnswerNow(socket));

/** Once a minute: a flood must not become one of log lines. */
function dropTeller(maxConnections: number): () => void {
  const logger = new Logger('Connections');
  let toldAt = -Infinity;
  return () => {
    if (performance.now() - toldAt < TELL_AGAIN_AFTER_MS) return;
    toldAt = performance.now();
    logger.warn(`${maxConnections} connections are open: new ones are closed unread`);
  };
}
