/** ServiceBModule: the wiring of Service B. */
import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import { KeycloakModule } from 'nestjs-keycloak-s2s';
import { ServiceDefaultsModule, type ServiceSettings } from 'service-defaults';
import { AnalyticsClient } from './analytics.client.js';
import { serviceBConfig } from './config.js';
import { DemoModule } from './demo/demo.module.js';
import { InventoryController } from './inventory/inventory.controller.js';
import { InventoryService } from './inventory/inventory.service.js';
import { OrdersController } from './orders/orders.controller.js';
import { serviceClients } from './service-clients.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [serviceBConfig] }),
    KeycloakModule.forRootAsync({
      inject: [serviceBConfig.KEY],
      useFactory: (config: ConfigType<typeof serviceBConfig>) => config.keycloak,
    }),
    serviceClients,
    ServiceDefaultsModule,
  ],
  controllers: [OrdersController, InventoryController],
  providers: [AnalyticsClient, InventoryService],
})
export class ServiceBModule {
  static register({ demoMode }: Pick<ServiceSettings<string>, 'demoMode'>): DynamicModule {
    return { module: ServiceBModule, imports: demoMode ? [DemoModule] : [] };
  }
}
