import { Logger } from '@nestjs/common';
import type { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ConnectionLimits } from './connection-limits.js';
import type { Connections } from './connections.js';

const states = new WeakMap<object, { isShuttingDown: boolean; readonly connections: Connections }>();

export const isShuttingDown = (adapter: object): boolean => states.get(adapter)?.isShuttingDown ?? false;

/**
 * During the shutdown, the readiness route answers 503, and each answer closes its connection. Nest's hooks run last,
 * since `app.close()` calls `onModuleDestroy` even while requests are in flight.
 *
 * @param noticed - Resolves when each load balancer has seen that the service is not ready.
 */
export async function shutDown(app: NestFastifyApplication, noticed: Promise<unknown>): Promise<void> {
  const adapter = app.getHttpAdapter();
  if (app.getHttpServer().listening) {
    markShuttingDown(adapter);
    await noticed;
    await adapter.getInstance().close();
  }
  await app.close();
}

/** Only active connections delay the shutdown, by at most `drainMs`. */
export function drainOnClose(
  adapter: FastifyAdapter,
  connections: Connections,
  { arrivalMs, drainMs }: Pick<ConnectionLimits, 'arrivalMs' | 'drainMs'>,
): void {
  const fastify = adapter.getInstance();
  const timers: NodeJS.Timeout[] = [];
  states.set(adapter, { isShuttingDown: false, connections });
  fastify.addHook('preClose', (done: () => void) => {
    markShuttingDown(adapter);
    timers.push(
      setTimeout(() => connections.drain(), arrivalMs),
      setTimeout(() => logLost(connections.cutOff(), drainMs), drainMs),
    );
    done();
  });
  fastify.addHook('onClose', (_instance: unknown, done: () => void) => {
    for (const timer of timers) clearTimeout(timer);
    done();
  });
}

export function connectionsOf(adapter: object): Connections {
  const state = states.get(adapter);
  if (state === undefined) throw new Error('The adapter must come from serviceAdapter()');
  return state.connections;
}

function markShuttingDown(adapter: object): void {
  const state = states.get(adapter);
  if (state === undefined) return;
  state.isShuttingDown = true;
  state.connections.closeEach();
}

function logLost(lost: number, drainMs: number): void {
  if (lost === 0) return;
  new Logger('Shutdown').warn(`The service aborted requests ${drainMs / 1000} s after the listener closed: ${lost}`);
}
