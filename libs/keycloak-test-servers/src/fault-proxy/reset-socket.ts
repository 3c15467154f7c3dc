/** TCP RST, and nothing before it. */
import type { Socket } from 'node:net';

/**
 * `resetAndDestroy` alone ends a socket in good order first (FIN), and the other side may take that for the end of the
 * answer, or never hear of the reset.
 */
export function resetSocket(socket: Socket): void {
  Object.assign(socket, { _final: (done: () => void) => done() });
  socket.resetAndDestroy();
}
