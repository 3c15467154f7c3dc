import { Body, Controller, HttpCode, NotFoundException, Param, Post } from '@nestjs/common';
import { Caller, AllowClients, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import type { AttackAnswer, Attempt, SealedToken, TokenRow } from 'demo';
import { AttackLab } from './attack-lab.js';
import { ShowAgainDto } from './show-again.dto.js';
import { ShowSealedDto } from './show-sealed.dto.js';

@Controller('api/attacks')
export class AttacksController {
  constructor(private readonly lab: AttackLab) {}

  @Post('token-row')
  @HttpCode(200)
  @RequirePermission('attacks.replay')
  @AllowClients('service-a')
  async tokenRow(@Caller() caller: VerifiedAccessToken): Promise<TokenRow | { readonly notRun: string }> {
    return this.lab.tokenRow(caller);
  }

  @Post('token-row/again')
  @HttpCode(200)
  @RequirePermission('attacks.replay')
  @AllowClients('service-a')
  async showAgain(@Body() { id, service }: ShowAgainDto): Promise<AttackAnswer | { readonly notRun: string }> {
    const answer = await this.lab.showAgain(id, service);
    if (answer === undefined) throw new NotFoundException({ error: 'No such token', code: 'token_not_found' });
    return answer;
  }

  /** Only a replica of this service can read and present the sealed token. */
  @Post('sealed-token')
  @HttpCode(200)
  @RequirePermission('attacks.replay')
  @AllowClients('service-a')
  async sealedToken(@Caller() caller: VerifiedAccessToken): Promise<SealedToken> {
    return this.lab.sealedToken(caller);
  }

  /** Returns Service C's answer, even if the user has been disabled in the meantime. */
  @Post('sealed-token/shown')
  @HttpCode(200)
  @RequirePermission('attacks.replay')
  @AllowClients('service-a')
  async showSealed(@Body() { sealed }: ShowSealedDto): Promise<AttackAnswer | { readonly notRun: string }> {
    const answer = await this.lab.showSealed(sealed);
    if (answer === undefined) throw new NotFoundException({ error: 'No such token', code: 'token_not_found' });
    return answer;
  }

  @Post(':id')
  @HttpCode(200)
  @RequirePermission('attacks.replay')
  @AllowClients('service-a')
  async run(@Param('id') id: string, @Caller() caller: VerifiedAccessToken): Promise<Attempt> {
    const attempt = await this.lab.run(id, caller);
    if (attempt === undefined) throw new NotFoundException({ error: 'No such attack', code: 'attack_not_found' });
    return attempt;
  }
}
