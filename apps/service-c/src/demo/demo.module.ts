import { Module } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import { RequestTraceModule } from 'demo';
import { AttacksModule } from '../attacks/attacks.module.js';
import { serviceCConfig } from '../config.js';
import { DemoTokensController } from './demo-tokens.controller.js';

@Module({
  imports: [
    AttacksModule,
    RequestTraceModule.forRootAsync({
      inject: [serviceCConfig.KEY],
      useFactory: ({ name, urls }: ConfigType<typeof serviceCConfig>) => ({ service: name, calls: urls }),
    }),
  ],
  controllers: [DemoTokensController],
})
export class DemoModule {}
