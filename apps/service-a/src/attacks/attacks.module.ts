import { Module } from '@nestjs/common';
import { AttackRuns } from 'demo';
import { LoginModule } from '../login/login.module.js';
import { PagesModule } from '../pages/pages.module.js';
import { AttackLab } from './attack-lab.js';
import { AttackTools } from './attack-tools.js';
import { AttacksAtBClient } from './attacks-at-b.client.js';
import { AttacksController } from './attacks.controller.js';

@Module({
  imports: [LoginModule, PagesModule],
  controllers: [AttacksController],
  providers: [AttackLab, AttackTools, AttacksAtBClient, { provide: AttackRuns, useFactory: () => new AttackRuns() }],
  exports: [AttackTools, AttacksAtBClient, AttackRuns],
})
export class AttacksModule {}
