import { Module, type DynamicModule } from '@nestjs/common';
import { serviceModules, type ServiceSettings } from 'service-defaults';
import { AnalyticsController } from './analytics/analytics.controller.js';
import { serviceCConfig } from './config.js';
import { DemoModule } from './demo/demo.module.js';

@Module({
  imports: [...serviceModules(serviceCConfig)],
  controllers: [AnalyticsController],
})
export class ServiceCModule {
  static register({ demoMode }: Pick<ServiceSettings<string>, 'demoMode'>): DynamicModule {
    return { module: ServiceCModule, imports: demoMode ? [DemoModule] : [] };
  }
}

export const root = (): DynamicModule => ServiceCModule.register(serviceCConfig());
