/** Until listening: waits for a process of a test to take connections. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const WITHIN_MS = 60_000;

/** @throws Error when nothing listens within a minute, or when it is of no use to wait any longer; with what `printed` gives. */
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
