import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Node knows whether a connection waits for an answer or has sent half a header, but does not expose it. The answers
 * share one listener, since a Fastify hook would cost more than this whole class (perf: chain-cpu).
 */
export class Connections {
  readonly #pending = new Map<Socket, Set<ServerResponse>>();
  /** Connections that a pending answer will close, with the number of requests that were ignored. */
  readonly #full = new WeakMap<Socket, number>();
  readonly #onClose: (this: ServerResponse) => void;
  #whenOver: ((response: ServerResponse) => void) | undefined;
  #closing = false;
  #draining = false;

  constructor(private readonly maxPending: number) {
    const answered = (response: ServerResponse): void => {
      this.#answered(response);
      this.#whenOver?.(response);
    };
    this.#onClose = function (this: ServerResponse) {
      answered(this);
    };
  }

  whenOver(listener: (response: ServerResponse) => void): void {
    this.#whenOver = listener;
  }

  opened(socket: Socket): void {
    this.#pending.set(socket, new Set());
    // An answer on a closed connection never finishes.
    socket.once('close', () => this.#pending.delete(socket));
  }

  /**
   * Node starts all pipelined requests, even of a client that reads no answer. Answer number `maxPending` therefore
   * closes the connection, and later requests are ignored.
   */
  admits(response: ServerResponse): boolean {
    const { socket } = response.req;
    const ignored = this.#full.get(socket);
    if (ignored !== undefined) {
      this.#full.set(socket, ignored + 1);
      if (ignored >= this.maxPending) socket.destroy();
      return false;
    }
    const pending = this.#pending.get(socket);
    const isLast = (pending?.size ?? 0) + 1 >= this.maxPending;
    if (isLast || this.#closing) this.endWith(response);
    pending?.add(response);
    response.on('close', this.#onClose);
    return true;
  }

  /** Makes this answer close its connection, so that later requests are ignored (RFC 9112 §9.6). */
  endWith(response: ServerResponse): void {
    this.#full.set(response.req.socket, 0);
    response.shouldKeepAlive = false;
  }

  /**
   * Whether the client of an inactive connection leaves an answer unread, or waits for no answer. Other limits cover a
   * connection that has sent nothing yet.
   */
  isIdle(socket: Socket): boolean {
    return socket.writableLength > 0 || (socket.bytesRead > 0 && this.#pending.get(socket)?.size === 0);
  }

  #answered(response: ServerResponse): void {
    const { socket } = response.req;
    const pending = this.#pending.get(socket);
    if (pending === undefined) return;
    pending.delete(response);
    // A header that was sent before draining began may have promised to keep the connection open.
    if (this.#draining && pending.size === 0) socket.destroySoon();
  }

  /** Whether the client would match an answer sent now to the request that is being read. */
  canAnswerNow(socket: Socket): boolean {
    for (const response of this.#pending.get(socket) ?? []) {
      if (response.headersSent || response.req.complete) return false;
    }
    return true;
  }

  /**
   * Makes the last pending answer of each connection close it, with `Connection: close` unless the header was already
   * sent.
   */
  closeEach(): void {
    this.#closing = true;
    for (const pending of this.#pending.values()) {
      const last = [...pending].at(-1);
      if (last !== undefined) this.endWith(last);
    }
  }

  /**
   * Closes idle connections now, and other connections after their last answer. Ends event streams, since they never
   * end by themselves.
   */
  drain(): void {
    this.#draining = true;
    for (const [socket, pending] of this.#pending) {
      if (pending.size === 0) socket.destroy();
      for (const response of pending) if (isEventStream(response)) response.end();
    }
  }

  cutOff(): number {
    let lost = 0;
    for (const [socket, pending] of this.#pending) {
      lost += pending.size;
      socket.destroy();
    }
    return lost;
  }
}

/**
 * Checks `Accept`, which every EventSource sends (WHATWG HTML §9.2.3), since `getHeader` does not return the header
 * that Nest writes for a stream.
 */
function isEventStream(response: ServerResponse): boolean {
  const type = response.getHeader('content-type') ?? response.req.headers.accept;
  return response.headersSent && String(type).includes('text/event-stream');
}
