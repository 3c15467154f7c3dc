import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServiceLogger } from './service-logger.js';
import { shutDown } from './shutdown.js';

const CONTEXT = 'Shutdown';

/**
 * Exits with 0 after a clean shutdown, and with 1 after a failed shutdown. On a second signal, exits immediately with
 * 128 + signal number.
 */
export function endOnSignals(app: NestFastifyApplication, delaySeconds: number, logger: ServiceLogger): void {
  let isEnding = false;
  const end = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (isEnding) process.exit(128 + constants.signals[signal]);
    isEnding = true;
    logger.log(
      `${signal} received. The service is no longer ready, and its listener closes in ${delaySeconds} s. A second signal exits at once`,
      CONTEXT,
    );
    shutDown(app, sleep(delaySeconds * 1000)).then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error('Shutdown failed', error instanceof Error ? error.stack : String(error), CONTEXT);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(signal));
}
