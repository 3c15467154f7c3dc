import type { Socket } from 'node:net';

/** `resetAndDestroy` first sends FIN, which may look like the end of the answer. */
export function resetSocket(socket: Socket): void {
  Object.assign(socket, { _final: (done: () => void) => done() });
  socket.resetAndDestroy();
}
