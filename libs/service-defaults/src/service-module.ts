/** ServiceModule: what the root module of a service is to `bootstrap()`. */
import type { DynamicModule } from '@nestjs/common';
import type { ServiceSettings } from './service-settings.js';

/** With the service's `DemoModule` in demo mode; without it, what is in there does not exist: no route, no provider. */
export interface ServiceModule {
  register(settings: Pick<ServiceSettings<string>, 'demoMode'>): DynamicModule;
}
