/** ServiceAModule: the wiring of Service A. */
import { Module } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import { KeycloakModule } from 'nestjs-keycloak-s2s';
import { ServiceDefaultsModule } from 'service-defaults';
import { ChainController } from './chain/chain.controller.js';
import { serviceAConfig } from './config.js';
import { LoginModule } from './login/login.module.js';
import { OrdersController } from './orders/orders.controller.js';
import { OrdersService } from './orders/orders.service.js';
import { AssetsController } from './pages/assets.controller.js';
import { HomeController } from './pages/home.controller.js';
import { PagesModule } from './pages/pages.module.js';
import { ProcessingClient } from './processing.client.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [serviceAConfig] }),
    KeycloakModule.forRootAsync({
      inject: [serviceAConfig.KEY],
      useFactory: (config: ConfigType<typeof serviceAConfig>) => config.keycloak,
    }),
    KeycloakModule.forFeature([
      {
        name: 'service-b',
        inject: [serviceAConfig.KEY],
        useFactory: ({ urls }: ConfigType<typeof serviceAConfig>) => ({
          baseUrl: urls.SERVICE_B_URL,
          audience: 'service-b',
        }),
      },
    ]),
    PagesModule,
    LoginModule,
    ServiceDefaultsModule,
  ],
  controllers: [HomeController, AssetsController, ChainController, OrdersController],
  providers: [OrdersService, ProcessingClient],
})
export class ServiceAModule {}
