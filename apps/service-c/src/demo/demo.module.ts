/** DemoModule: what Service C has in demo mode only. */
import { Module } from '@nestjs/common';
import { AttacksModule } from '../attacks/attacks.module.js';
import { DemoTokensController } from './demo-tokens.controller.js';

@Module({ imports: [AttacksModule], controllers: [DemoTokensController] })
export class DemoModule {}
