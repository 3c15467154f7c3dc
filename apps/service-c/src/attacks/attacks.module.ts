import { Module } from '@nestjs/common';
import { AttackLab } from './attack-lab.js';
import { AttacksController } from './attacks.controller.js';

@Module({ controllers: [AttacksController], providers: [AttackLab] })
export class AttacksModule {}
