/** AttacksModule: the wiring of Service B's attacks; part of demo mode. */
import { Module } from '@nestjs/common';
import { serviceClients } from '../service-clients.js';
import { AttackLab } from './attack-lab.js';
import { AttacksAtCClient } from './attacks-at-c.client.js';
import { AttacksController } from './attacks.controller.js';

@Module({ imports: [serviceClients], controllers: [AttacksController], providers: [AttackLab, AttacksAtCClient] })
export class AttacksModule {}
