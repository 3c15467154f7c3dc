/** Connections: the open connections of a service's server, and the answers that each is still owed. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Node tells a connection that waits for an answer from one that has sent nothing, half a header or half a body, but to nobody
 * outside: so what came and what was answered is counted here. Costs a request two operations on a set, and nothing that is made.
 */
export class Connections {
  readonly #owed = new Map<Socket, Set<ServerResponse>>();

  opened(socket: Socket): void {
    this.#owed.set(socket, new Set());
    // Takes what was owed with it: an answer that nobody waits for is never finished.
    socket.once('close', () => this.#owed.delete(socket));
  }

  /** The header of a request was read; its body may still be on its way. */
  began(response: ServerResponse): void {
    this.#owed.get(response.req.socket)?.add(response);
  }

  answered(response: ServerResponse): void {
    this.#owed.get(response.req.socket)?.delete(response);
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
}
