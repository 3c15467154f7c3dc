/** ServiceAModule: the wiring of Service A. */
import { Module, type DynamicModule } from '@nestjs/common';
import { serviceModules, type ServiceSettings } from 'service-defaults';
import { ChainController } from './chain/chain.controller.js';
import { ChainTokens } from './chain/chain-tokens.js';
import { serviceAConfig } from './config.js';
import { DemoModule } from './demo/demo.module.js';
import { HomeController } from './home/home.controller.js';
import { LoginModule } from './login/login.module.js';
import { OrdersController } from './orders/orders.controller.js';
import { OrdersService } from './orders/orders.service.js';
import { PagesModule } from './pages/pages.module.js';
import { ProcessingClient } from './processing.client.js';

@Module({
  imports: [...serviceModules(serviceAConfig), PagesModule, LoginModule],
  controllers: [HomeController, ChainController, OrdersController],
  providers: [OrdersService, ProcessingClient, ChainTokens],
})
export class ServiceAModule {
  static register({ demoMode }: Pick<ServiceSettings<string>, 'demoMode'>): DynamicModule {
    return { module: ServiceAModule, imports: demoMode ? [DemoModule] : [] };
  }
}
