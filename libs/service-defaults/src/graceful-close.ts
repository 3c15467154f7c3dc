/** Graceful close: what is in flight is answered, and its connection ends with the answer. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/**
 * When a server closes, Node ends the connections that are idle then; one whose request is still under way would be kept
 * alive after the answer, and the process with it, for the whole keep-alive time.
 */
export function closeGracefully(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  let closing = false;
  fastify.addHook('preClose', async () => {
    closing = true;
  });
  // With a callback: a promise would cost every answer more than all that is done here.
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing) reply.header('Connection', 'close');
    done();
  });
}
