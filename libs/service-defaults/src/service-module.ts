import type { DynamicModule } from '@nestjs/common';
import type { ServiceSettings } from './service-settings.js';

/** `register` imports the service's `DemoModule`, with its routes and providers, in demo mode only. */
export interface ServiceModule {
  register(settings: Pick<ServiceSettings<string>, 'demoMode' | 'signals'>): DynamicModule;
}
