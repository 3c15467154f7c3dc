import type { IncomingHttpHeaders } from 'node:http';
import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { AllowClients, RequirePermission } from 'nestjs-keycloak-s2s';
import type { Attempt } from 'demo';
import { AttackLab } from './attack-lab.js';

@Controller('api/attacks')
export class AttacksController {
  constructor(private readonly lab: AttackLab) {}

  @Post('exchange-by-c')
  @HttpCode(200)
  @RequirePermission('attacks.exchange')
  @AllowClients('service-b')
  exchange(@Req() { headers }: { readonly headers: IncomingHttpHeaders }): Promise<Attempt> {
    return this.lab.exchange((headers.authorization ?? '').replace(/^bearer +/i, ''));
  }
}
