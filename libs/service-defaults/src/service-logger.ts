/** ServiceLogger: Nest's console logger without Nest's own start-up lines. */
import { ConsoleLogger } from '@nestjs/common';
import type { ServiceSettings } from './service-settings.js';

const START_UP = new Set<unknown>(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer']);

export class ServiceLogger extends ConsoleLogger {
  constructor(format: ServiceSettings<string>['logFormat']) {
    super({ json: format === 'json', flattenParams: true, colors: false });
  }

  override log(message: unknown, ...rest: unknown[]): void {
    // The context comes last.
    if (!START_UP.has(rest.at(-1))) super.log(message, ...rest);
  }

  /** `bootstrap()` logs an error that prevents the start; without this, Nest would log it too, with its stack. */
  override error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) !== 'ExceptionHandler') super.error(message, ...rest);
  }
}
