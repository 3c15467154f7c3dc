import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Tracks each connection's pending answers, since Node does not expose a connection's state. The answers share one
 * listener, which costs less than a Fastify hook (perf: chain-cpu).
 */
export class Connections {
  readonly #pending = new Map<Socket, Set<ServerResponse>>();
  /** Counts the ignored requests of each connection that will close after a pending answer. */
  readonly #full = new WeakMap<Socket, number>();
  readonly #onClose: (this: ServerResponse) => void;
  #whenOver: ((response: ServerResponse) => void) | undefined;
  #closing = false;

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
    // The pending answers of a closed connection are forgotten, since these answers never finish.
    socket.once('close', () => this.#pending.delete(socket));
  }

  /**
   * Node starts all pipelined requests, even if the client reads no answer. If `maxPending` answers are pending, the
   * last answer therefore closes the connection.
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

  /** Later requests of the connection are ignored (RFC 9112 §9.6). */
  endWith(response: ServerResponse): void {
    this.#full.set(response.req.socket, 0);
    response.shouldKeepAlive = false;
  }

  /**
   * A connection is idle if the client does not read an answer, or if no answer is pending. A connection on which the
   * client has sent nothing yet is not idle, since the time limit for headers will close this connection.
   */
  isIdle(socket: Socket): boolean {
    return socket.writableLength > 0 || (socket.bytesRead > 0 && this.#pending.get(socket)?.size === 0);
  }

  #answered(response: ServerResponse): void {
    const { socket } = response.req;
    const pending = this.#pending.get(socket);
    if (pending === undefined) return;
    pending.delete(response);
    // The header of an answer that began before the shutdown says that the connection stays open.
    if (this.#closing && pending.size === 0) socket.destroySoon();
  }

  /** Returns whether an answer that is sent now would reach the client as the answer to the unfinished request. */
  canAnswerNow(socket: Socket): boolean {
    for (const response of this.#pending.get(socket) ?? []) {
      if (response.headersSent || response.req.complete) return false;
    }
    return true;
  }

  /**
   * Closes each connection after its last pending answer. If no answer is pending, the connection closes after its next
   * answer.
   */
  closeEach(): void {
    this.#closing = true;
    for (const pending of this.#pending.values()) {
      const last = [...pending].at(-1);
      if (last !== undefined) this.endWith(last);
    }
  }

  /**
   * Closes idle connections immediately, and each active connection after its last answer. Ends event streams, since an
   * event stream never ends by itself.
   */
  drain(): void {
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
 * Checks `Accept`, which every EventSource sends (WHATWG HTML §9.2.3). `getHeader` does not return the header that Nest
 * writes for a stream.
 */
function isEventStream(response: ServerResponse): boolean {
  const type = response.getHeader('content-type') ?? response.req.headers.accept;
  return response.headersSent && String(type).includes('text/event-stream');
}
