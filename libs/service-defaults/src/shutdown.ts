/** Shutdown: how a service leaves without a request being lost: not ready first, closed then, and done with what is in flight. */
import { Logger } from '@nestjs/common';
import type { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ConnectionLimits } from './connection-limits.js';
import type { Connections } from './connections.js';

/** By adapter: what a route and a hook can both reach. */
const states = new WeakMap<object, { isLeaving: boolean }>();

/** Whether the service behind this adapter should be sent no more requests. It answers them all the same. */
export const isLeaving = (adapter: object): boolean => states.get(adapter)?.isLeaving ?? false;

/**
 * Resolves when the application has ended. Readiness is 503 from now on, and each answer ends its connection. Once it is `noticed`, the
 * listener closes, and what is in flight has the time of `ConnectionLimits.drainMs`. Nest's hooks come last: `app.close()` alone
 * calls `onModuleDestroy` while requests still need what it destroys.
 *
 * @param noticed - Resolves when each balancer has seen that the service is not ready: until then it is sent requests, and serves them
 */
export async function shutDown(app: NestFastifyApplication, noticed: Promise<unknown>): Promise<void> {
  const adapter = app.getHttpAdapter();
  if (app.getHttpServer().listening) {
    leave(adapter);
    await noticed;
    await adapter.getInstance().close();
  }
  await app.close();
}

/** However the server is closed: what is in flight is answered, nothing else holds it, and nothing for longer than `drainMs`. */
export function drainOnClose(
  adapter: FastifyAdapter,
  connections: Connections,
  { arrivalMs, drainMs }: Pick<ConnectionLimits, 'arrivalMs' | 'drainMs'>,
): void {
  const fastify = adapter.getInstance();
  const state = { isLeaving: false };
  const timers: NodeJS.Timeout[] = [];
  states.set(adapter, state);
  fastify.addHook('preClose', (done: () => void) => {
    leave(adapter);
    timers.push(
      setTimeout(() => connections.drain(), arrivalMs),
      setTimeout(() => tellLost(connections.cutOff(), drainMs), drainMs),
    );
    done();
  });
  fastify.addHook('onClose', (_instance: unknown, done: () => void) => {
    for (const timer of timers) clearTimeout(timer);
    done();
  });
  // With a callback: a promise would cost every answer more than all that is done here.
  fastify.addHook('onSend', (_request: unknown, reply: Reply, _payload: unknown, done: () => void) => {
    if (state.isLeaving) reply.header('Connection', 'close');
    done();
  });
}

/** The part of Fastify's reply that is used here. */
interface Reply {
  header(name: string, value: string): unknown;
}

function leave(adapter: object): void {
  const state = states.get(adapter);
  if (state !== undefined) state.isLeaving = true;
}

function tellLost(lost: number, drainMs: number): void {
  if (lost === 0) return;
  new Logger('Shutdown').warn(
    `Requests cut off: ${lost}, still in flight ${drainMs / 1000} s after the listener closed`,
  );
}
