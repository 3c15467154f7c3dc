/** Attacks: the one of the demonstration that only Service C can make. */
import type { IncomingHttpHeaders } from 'node:http';
import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { AllowClients, RequirePermission } from 'nestjs-keycloak-s2s';
import type { Attempt } from 'demo';
import { AttackLab } from './attack-lab.js';

@Controller('api/attacks')
export class AttacksController {
  constructor(private readonly lab: AttackLab) {}

  /** What came back, without judging it; of the token only what it says of itself. */
  @Post('exchange-by-c')
  @HttpCode(200)
  @RequirePermission('attacks.exchange')
  @AllowClients('service-b')
  exchange(@Req() { headers }: { readonly headers: IncomingHttpHeaders }): Promise<Attempt> {
    // An attacker in this place reads the header: the judged token does not give its text out. The guard has let it pass.
    return this.lab.exchange((headers.authorization ?? '').replace(/^bearer +/i, ''));
  }
}
