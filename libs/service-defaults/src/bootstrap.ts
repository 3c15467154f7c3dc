import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigurationError } from 'nestjs-keycloak-s2s';
import { createService } from './create-service.js';
import { endOnSignals } from './end-on-signals.js';
import { listenFault, SERVICE_PLACE } from './listen-fault.js';
import type { ServiceModule } from './service-module.js';
import { ServiceLogger } from './service-logger.js';
import type { ServiceSettings } from './service-settings.js';
import type { startTelemetry, Telemetry } from './telemetry/start-telemetry.js';

/** If the service can't start, the process exits with 1. */
export async function bootstrap(module: ServiceModule, readSettings: () => ServiceSettings<string>): Promise<void> {
  let logger = new ServiceLogger('text');
  try {
    const settings = readSettings();
    const { name, version, host, port, logFormat } = settings;
    logger = new ServiceLogger(logFormat, name, version);
    const telemetry =
      settings.telemetry && (await loadTelemetry({ ...settings, telemetry: settings.telemetry }, logger));
    const app = await createService(module.register(settings), { ...settings, logger, telemetry });
    endOnSignals(app, settings.shutdownDelaySeconds, logger);
    await app.listen(port, host).catch((error: unknown) => {
      const fault = listenFault(error, { host, port }, SERVICE_PLACE);
      throw fault === undefined ? error : new ConfigurationError(`${name} can't listen`, [fault]);
    });
    logger.log(`${name} listens on ${host}, port ${portOf(app)}`, 'Bootstrap');
  } catch (error) {
    logger.error(startFailure(error), undefined, 'Bootstrap');
    process.exitCode = 1;
    // Ends the process, since an open handle may keep the process alive.
    setTimeout(() => process.exit(), 100).unref();
  }
}

const portOf = (app: NestFastifyApplication): number => (app.getHttpServer().address() as AddressInfo).port;

async function loadTelemetry(...given: Parameters<typeof startTelemetry>): Promise<Telemetry> {
  const telemetry = await import('./telemetry/start-telemetry.js');
  return telemetry.startTelemetry(...given);
}

function startFailure(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
