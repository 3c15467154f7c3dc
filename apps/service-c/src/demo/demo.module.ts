/** DemoModule: what Service C has in demo mode only. */
import { Module } from '@nestjs/common';
import { DemoTokensController } from './demo-tokens.controller.js';

@Module({ controllers: [DemoTokensController] })
export class DemoModule {}
