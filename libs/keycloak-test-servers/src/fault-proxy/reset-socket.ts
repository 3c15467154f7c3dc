/** Sends TCP RST without a preceding FIN. */
import type { Socket } from 'node:net';

/** `resetAndDestroy` alone sends FIN first. The other side may take it for the end of the answer and miss the reset. */
export function resetSocket(socket: Socket): void {
  Object.assign(socket, { _final: (done: () => void) => done() });
  socket.resetAndDestroy();
}
