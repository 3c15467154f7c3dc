import type { DynamicModule } from '@nestjs/common';
import type { ServiceSettings } from './service-settings.js';

/**
 * `register` imports the service's `DemoModule` in demo mode only, so that its routes and providers do not exist
 * otherwise.
 */
export interface ServiceModule {
  register(settings: Pick<ServiceSettings<string>, 'demoMode' | 'signals'>): DynamicModule;
}
