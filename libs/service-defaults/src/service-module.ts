import type { DynamicModule } from '@nestjs/common';
import type { ServiceSettings } from './service-settings.js';

/** In demo mode only, `register` imports the service's `DemoModule`, with its routes and providers. */
export interface ServiceModule {
  register(settings: Pick<ServiceSettings<string>, 'demoMode' | 'signals' | 'demo'>): DynamicModule;
}
