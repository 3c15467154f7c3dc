import { Module } from '@nestjs/common';
import { AttackLab } from './attack-lab.js';
import { AttacksAtCClient } from './attacks-at-c.client.js';
import { AttacksController } from './attacks.controller.js';

@Module({ controllers: [AttacksController], providers: [AttackLab, AttacksAtCClient] })
export class AttacksModule {}
