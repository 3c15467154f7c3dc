/** ServiceCModule: the wiring of Service C. */
import { Module } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import { KeycloakModule } from 'nestjs-keycloak-s2s';
import { ServiceDefaultsModule } from 'service-defaults';
import { AnalyticsController } from './analytics/analytics.controller.js';
import { serviceCConfig } from './config.js';

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
export class ServiceCModule {}
