/** ServiceBModule: the wiring of Service B. */
import { Module } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import { KeycloakModule } from 'nestjs-keycloak-s2s';
import { ServiceDefaultsModule } from 'service-defaults';
import { AnalyticsClient } from './analytics.client.js';
import { serviceBConfig } from './config.js';
import { InventoryController } from './inventory/inventory.controller.js';
import { InventoryService } from './inventory/inventory.service.js';
import { OrdersController } from './orders/orders.controller.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [serviceBConfig] }),
    KeycloakModule.forRootAsync({
      inject: [serviceBConfig.KEY],
      useFactory: (config: ConfigType<typeof serviceBConfig>) => config.keycloak,
    }),
    KeycloakModule.forFeature([
      {
        name: 'service-c',
        inject: [serviceBConfig.KEY],
        useFactory: ({ urls }: ConfigType<typeof serviceBConfig>) => ({
          baseUrl: urls.SERVICE_C_URL,
          audience: 'service-c',
        }),
      },
    ]),
    ServiceDefaultsModule,
  ],
  controllers: [OrdersController, InventoryController],
  providers: [AnalyticsClient, InventoryService],
})
export class ServiceBModule {}
