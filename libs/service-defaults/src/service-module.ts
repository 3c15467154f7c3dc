/** ServiceModule: the root module of a service, as `bootstrap()` sees it. */
import type { DynamicModule } from '@nestjs/common';
import type { ServiceSettings } from './service-settings.js';

/** Imports the service's `DemoModule` in demo mode only; otherwise none of its routes and providers exist. Likewise what hears of revocations. */
export interface ServiceModule {
  register(settings: Pick<ServiceSettings<string>, 'demoMode' | 'signals'>): DynamicModule;
}
