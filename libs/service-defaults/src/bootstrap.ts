/** bootstrap(): starts a service from its main.ts, and says in one clear message why it can't. */
import { ConfigurationError } from 'nestjs-keycloak-s2s';
import { createService } from './create-service.js';
import { endOnSignals } from './end-on-signals.js';
import type { ServiceModule } from './service-module.js';
import { ServiceLogger } from './service-logger.js';
import type { ServiceSettings } from './service-settings.js';

/**
 * Reads the settings and listens where they say. SIGTERM and SIGINT end it: after `SHUTDOWN_DELAY_SECONDS` of being not ready, what is
 * in flight is finished, and the process exits with 0. When it can't start it exits with 1.
 */
export async function bootstrap(module: ServiceModule, readSettings: () => ServiceSettings<string>): Promise<void> {
  let logger = new ServiceLogger('text');
  try {
    const settings = readSettings();
    const { name, host, port, logFormat } = settings;
    logger = new ServiceLogger(logFormat);
    const app = await createService(module.register(settings), settings);
    endOnSignals(app, settings.shutdownDelaySeconds, logger);
    await app.listen(port, host);
    logger.log(`${name} listens on ${host}, port ${port}`, 'Bootstrap');
  } catch (error) {
    logger.error(whyNot(error), undefined, 'Bootstrap');
    process.exitCode = 1;
    // Whatever was opened on the way must not keep a service alive that is not there.
    setTimeout(() => process.exit(), 100).unref();
  }
}

function whyNot(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message;
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    return `Port ${String(error.port)} is in use: stop what listens there, or set PORT`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
