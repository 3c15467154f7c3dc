import { Module } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import { RequestTraceModule } from 'demo';
import { AttacksModule } from '../attacks/attacks.module.js';
import { AnalyticsClient } from '../analytics.client.js';
import { serviceBConfig } from '../config.js';
import { DemoTokensController } from './demo-tokens.controller.js';

@Module({
  imports: [
    AttacksModule,
    RequestTraceModule.forRootAsync({
      inject: [serviceBConfig.KEY],
      useFactory: ({ name, urls }: ConfigType<typeof serviceBConfig>) => ({
        service: name,
        calls: urls,
      }),
    }),
  ],
  controllers: [DemoTokensController],
  providers: [AnalyticsClient],
})
export class DemoModule {}
