/** DemoModule: what Service A has in demo mode only. */
import { Module } from '@nestjs/common';
import { AttacksModule } from '../attacks/attacks.module.js';
import { ProcessingClient } from '../processing.client.js';
import { serviceClients } from '../service-clients.js';

@Module({ imports: [AttacksModule, serviceClients], providers: [ProcessingClient] })
export class DemoModule {}
