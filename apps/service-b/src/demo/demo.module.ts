/** DemoModule: what Service B has in demo mode only. */
import { Module } from '@nestjs/common';
import { AttacksModule } from '../attacks/attacks.module.js';
import { AnalyticsClient } from '../analytics.client.js';
import { serviceClients } from '../service-clients.js';
import { DemoTokensController } from './demo-tokens.controller.js';

@Module({ imports: [AttacksModule, serviceClients], controllers: [DemoTokensController], providers: [AnalyticsClient] })
export class DemoModule {}
