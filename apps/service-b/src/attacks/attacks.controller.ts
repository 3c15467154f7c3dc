/** Attacks: runs the attacks of the demonstration that need Service B or Service C. */
import { Controller, HttpCode, NotFoundException, Param, Post } from '@nestjs/common';
import { AccessToken, AllowClients, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import type { Attempt, TokenRow } from 'demo';
import { AttackLab } from './attack-lab.js';

@Controller('api/attacks')
export class AttacksController {
  constructor(private readonly lab: AttackLab) {}

  /** What each service answers to the token that Service B exchanged for Service C. */
  @Post('token-row')
  @HttpCode(200)
  @RequirePermission('attacks.replay')
  @AllowClients('service-a')
  async tokenRow(@AccessToken() caller: VerifiedAccessToken): Promise<TokenRow | { readonly notRun: string }> {
    return this.lab.tokenRow(caller);
  }

  /** Returns the answers without judging them, and only the claims of the token. */
  @Post(':id')
  @HttpCode(200)
  @RequirePermission('attacks.replay')
  @AllowClients('service-a')
  async run(@Param('id') id: string, @AccessToken() caller: VerifiedAccessToken): Promise<Attempt> {
    const attempt = await this.lab.run(id, caller);
    if (attempt === undefined) throw new NotFoundException({ error: 'No such attack', code: 'attack_not_found' });
    return attempt;
  }
}
