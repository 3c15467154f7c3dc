import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Node knows whether a connection waits for an answer or has sent half a header, but does not expose it. The answers
 * share one listener, since a Fastify hook would cost each request more than all that is done here (perf: chain-cpu).
 */
export class Connections {
  readonly #pending = new Map<Socket, Set<ServerResponse>>();
  /** Connections that a pending answer will close, with the number of requests ignored since. */
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
   * Node starts all pipelined requests, even of a client that reads no answer. So answer number `maxPending` closes the
   * connection, and later requests are ignored.
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

  /** Makes this answer close its connection: later requests could get no answer, and are ignored (RFC 9112 §9.6). */
  endWith(response: ServerResponse): void {
    this.#full.set(response.req.socket, 0);
    response.shouldKeepAlive = false;
  }

  /** Whether an inactive connection does not wait for this service: its peer does not read, or no answer is pending. */
  isIdle(socket: Socket): boolean {
    return socket.writableLength > 0 || (socket.bytesRead > 0 && this.#pending.get(socket)?.size === 0);
  }

  #answered(response: ServerResponse): void {
    const { socket } = response.req;
    const pending = this.#pending.get(socket);
    if (pending === undefined) return;
    pending.delete(response);
    // The header may have been sent before draining began, and have promised to keep the connection open.
    if (this.#draining && pending.size === 0) socket.destroySoon();
  }

  /** Whether the client would match an answer written now to the request that is being read. */
  canAnswerNow(socket: Socket): boolean {
    for (const response of this.#pending.get(socket) ?? []) {
      if (response.headersSent || response.req.complete) return false;
    }
    return true;
  }

  /**
   * From now on the last pending answer of each connection closes it, and says so unless its header was already sent.
   */
  closeEach(): void {
    this.#closing = true;
    for (const pending of this.#pending.values()) {
      const last = [...pending].at(-1);
      if (last !== undefined) this.endWith(last);
    }
  }

  /** Event streams end now, since they never end by themselves. */
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
 * `getHeader` does not see the header that Nest writes for a stream, so `Accept` decides, which every EventSource sends
 * (WHATWG HTML §9.2.3).
 */
function isEventStream(response: ServerResponse): boolean {
  const type = response.getHeader('content-type') ?? response.req.headers.accept;
  return response.headersSent && String(type).includes('text/event-stream');
}
