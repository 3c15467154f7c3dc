import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const WITHIN_MS = 60_000;

/**
 * @throws Error if nothing listens within a minute, or once `hasEnded` is true. The message has the `printed` output.
 */
export async function untilListening(
  port: number,
  { hasEnded = () => false, printed = () => '' }: { hasEnded?: () => boolean; printed?: () => string } = {},
): Promise<void> {
  for (const endMs = performance.now() + WITHIN_MS; performance.now() < endMs && !hasEnded(); await sleep(50)) {
    const socket = connect(port, '127.0.0.1');
    const isListening = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isListening) return;
  }
  throw new Error(`Nothing listens on port ${port}: ${printed()}`);
}
