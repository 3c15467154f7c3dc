import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AuthorizationServerHealth } from 'nestjs-keycloak-s2s';
import { DependencyChecks } from './dependency-checks.js';
import { healthDetailsController } from './health-details.controller.js';
import { HealthDetails, SERVICE_VERSION } from './health-details.js';
import { HealthController } from './health.controller.js';
import type { ServiceConfig } from './service-config.js';
import type { ServiceSettings } from './service-settings.js';
import { WhoamiController } from './whoami.controller.js';

@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController, WhoamiController],
})
export class ServiceDefaultsModule {
  /**
   * Creates the module with the route `GET /health/details`. Callers need the permission
   * `<name of the service>.health`.
   */
  static register({ KEY, description }: ServiceConfig): DynamicModule {
    const dependencies = {
      provide: DependencyChecks,
      inject: [KEY, AuthorizationServerHealth],
      useFactory: ({ urls, servicesTls }: ServiceSettings<string>, authorizationServer: AuthorizationServerHealth) =>
        new DependencyChecks(authorizationServer, urls, servicesTls),
    };
    const version = {
      provide: SERVICE_VERSION,
      inject: [KEY],
      useFactory: (settings: ServiceSettings<string>) => settings.version,
    };
    return {
      module: ServiceDefaultsModule,
      controllers: [healthDetailsController(description.name)],
      providers: [dependencies, version, HealthDetails],
    };
  }
}
