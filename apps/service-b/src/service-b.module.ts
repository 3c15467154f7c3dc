import { Module, type DynamicModule } from '@nestjs/common';
import { serviceModules, type ServiceSettings } from 'service-defaults';
import { AnalyticsClient } from './analytics.client.js';
import { serviceBConfig } from './config.js';
import { DemoModule } from './demo/demo.module.js';
import { OrderToolsModule } from './demo/order-tools.module.js';
import { InventoryController } from './inventory/inventory.controller.js';
import { InventoryService } from './inventory/inventory.service.js';
import { OrdersController } from './orders/orders.controller.js';
import { ReceiptsController } from './receipts/receipts.controller.js';
import { ReceiptsService } from './receipts/receipts.service.js';
import { RefundsController } from './refunds/refunds.controller.js';

@Module({
  imports: [...serviceModules(serviceBConfig)],
  controllers: [OrdersController, InventoryController, ReceiptsController, RefundsController],
  providers: [AnalyticsClient, InventoryService, ReceiptsService],
})
export class ServiceBModule {
  static register({ demoMode, demo }: Pick<ServiceSettings<string>, 'demoMode' | 'demo'>): DynamicModule {
    const forTools = demo?.flags['DEMO_ORDER_TOOLS'] === true ? [OrderToolsModule] : [];
    return { module: ServiceBModule, imports: demoMode ? [DemoModule, ...forTools] : [] };
  }
}

export const root = (): DynamicModule => ServiceBModule.register(serviceBConfig());
