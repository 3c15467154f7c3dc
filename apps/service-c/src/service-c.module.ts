/** ServiceCModule: the wiring of Service C. */
import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import { KeycloakModule } from 'nestjs-keycloak-s2s';
import { ServiceDefaultsModule, type ServiceSettings } from 'service-defaults';
import { AnalyticsController } from './analytics/analytics.controller.js';
import { serviceCConfig } from './config.js';
import { DemoModule } from './demo/demo.module.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [serviceCConfig] }),
    KeycloakModule.forRootAsync({
      inject: [serviceCConfig.KEY],
      useFactory: (config: ConfigType<typeof serviceCConfig>) => config.keycloak,
    }),
    ServiceDefaultsModule,
  ],
  controllers: [AnalyticsController],
})
export class ServiceCModule {
  static register({ demoMode }: Pick<ServiceSettings<string>, 'demoMode'>): DynamicModule {
    return { module: ServiceCModule, imports: demoMode ? [DemoModule] : [] };
  }
}
