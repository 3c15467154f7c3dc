/** endOnSignals(): SIGTERM and SIGINT shut a service down; a second one ends it at once. */
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServiceLogger } from './service-logger.js';
import { shutDown } from './shutdown.js';

const CONTEXT = 'Shutdown';

/** The process exits with 0 when the service has ended in good order, with 1 when that failed, and as a killed one when it is told twice. */
export function endOnSignals(app: NestFastifyApplication, delaySeconds: number, logger: ServiceLogger): void {
  let isEnding = false;
  const end = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (isEnding) process.exit(128 + constants.signals[signal]);
    isEnding = true;
    logger.log(`${signal}: not ready any more, closes in ${delaySeconds} s; a second signal ends it at once`, CONTEXT);
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
