/** ServiceDefaultsModule: the routes that every service has. */
import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import {
  HealthDetailsController,
  NEXT_SERVICES,
  OWN_ISSUER,
  SERVICE_VERSION,
  SERVICES_TLS,
} from './health-details.controller.js';
import { HealthController } from './health.controller.js';
import type { ServiceConfig } from './service-config.js';
import type { ServiceSettings } from './service-settings.js';
import { WhoamiController } from './whoami.controller.js';

@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController, WhoamiController],
})
export class ServiceDefaultsModule {
  /** With `GET /health/details`, which asks the services that this one calls. */
  static register({ KEY }: ServiceConfig): DynamicModule {
    const nextServices = {
      provide: NEXT_SERVICES,
      inject: [KEY],
      useFactory: ({ urls }: ServiceSettings<string>) => urls,
    };
    const servicesTls = {
      provide: SERVICES_TLS,
      inject: [KEY],
      useFactory: (settings: ServiceSettings<string>) => settings.servicesTls,
    };
    const version = {
      provide: SERVICE_VERSION,
      inject: [KEY],
      useFactory: (settings: ServiceSettings<string>) => settings.version,
    };
    const ownIssuer = {
      provide: OWN_ISSUER,
      inject: [KEY],
      useFactory: ({ keycloak }: ServiceSettings<string>) => keycloak.issuer,
    };
    return {
      module: ServiceDefaultsModule,
      controllers: [HealthDetailsController],
      providers: [nextServices, servicesTls, version, ownIssuer],
    };
  }
}
