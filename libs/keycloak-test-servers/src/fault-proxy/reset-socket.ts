/** resetSocket(): sends TCP RST without a preceding FIN. */
import type { Socket } from 'node:net';

/**
 * `resetAndDestroy` alone sends FIN first, which the other side may take for the end of the answer without noticing the
 * reset.
 */
export function resetSocket(socket: Socket): void {
  Object.assign(socket, { _final: (done: () => void) => done() });
  socket.resetAndDestroy();
}
