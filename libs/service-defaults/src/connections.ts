/** Connections: the open connections of a service's server, and the answers that each is still owed. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Node tells a connection that waits for an answer from one that has sent nothing, or half a header, but to nobody
 * outside: so what came and what was answered is counted here. Costs a request two operations on a set, and nothing that is made.
 */
export class Connections {
  readonly #owed = new Map<Socket, Set<ServerResponse>>();
  /** Of which nothing more is served, since an answer that they are owed will be the last; with how many requests came since. */
  readonly #full = new WeakMap<Socket, number>();
  #draining = false;

  /** `maxOwed`: how many requests one connection may send before the first of them is answered. */
  constructor(private readonly maxOwed: number) {}

  opened(socket: Socket): void {
    this.#owed.set(socket, new Set());
    // Takes what was owed with it: an answer that nobody waits for is never finished.
    socket.once('close', () => this.#owed.delete(socket));
  }

  /**
   * Whether a request is to be served. Node reads as many as are sent at once, and begins all of them, while whoever sent them
   * need not take a single answer. So the last that is served ends the connection, and what comes behind it is as if it had not
   * come; where as many come again, nobody waits for answers.
   */
  admits(response: ServerResponse): boolean {
    const { socket } = response.req;
    const ignored = this.#full.get(socket);
    if (ignored !== undefined) {
      this.#full.set(socket, ignored + 1);
      if (ignored >= this.maxOwed) socket.destroy();
      return false;
    }
    if ((this.#owed.get(socket)?.size ?? 0) + 1 < this.maxOwed) return true;
    this.#full.set(socket, 0);
    response.shouldKeepAlive = false;
    return true;
  }

  /**
   * Whether a connection on which nothing moves waits for nothing of ours: it does not take what was written to it, or has nothing
   * to do. One that has sent nothing yet is the business of other limits.
   */
  isIdle(socket: Socket): boolean {
    return socket.writableLength > 0 || (socket.bytesRead > 0 && this.#owed.get(socket)?.size === 0);
  }

  /** The header of a request was read; its body may still be on its way. */
  began(response: ServerResponse): void {
    this.#owed.get(response.req.socket)?.add(response);
  }

  answered(response: ServerResponse): void {
    const { socket } = response.req;
    const owed = this.#owed.get(socket);
    if (owed === undefined) return;
    owed.delete(response);
    // Its header may have been sent before, and have promised to keep the connection.
    if (this.#draining && owed.size === 0) socket.destroySoon();
  }

  /**
   * Whether an answer that is written to the socket now is taken for that of the request which is being read: not so when another's
   * comes first, or when one has begun.
   */
  canAnswerNow(socket: Socket): boolean {
    for (const response of this.#owed.get(socket) ?? []) {
      if (response.headersSent || response.req.complete) return false;
    }
    return true;
  }

  /** Ends those that are owed nothing, each other one with its last answer, and streams of events now: they would never end. */
  drain(): void {
    this.#draining = true;
    for (const [socket, owed] of this.#owed) {
      if (owed.size === 0) socket.destroy();
      for (const response of owed) if (isEventStream(response)) response.end();
    }
  }

  /** Ends all of them. Gives how many answers are lost. */
  cutOff(): number {
    let lost = 0;
    for (const [socket, owed] of this.#owed) {
      lost += owed.size;
      socket.destroy();
    }
    return lost;
  }
}

/** Nest writes the header of a stream past the place where it could be looked up; whoever wants one says so (WHATWG HTML §9.2.3). */
function isEventStream(response: ServerResponse): boolean {
  const type = response.getHeader('content-type') ?? response.req.headers.accept;
  return response.headersSent && String(type).includes('text/event-stream');
}
