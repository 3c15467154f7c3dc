/** Demo tokens: what the token claims that Service C was called with. */
import { Controller, Get } from '@nestjs/common';
import { AccessToken, AllowClients, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { seenToken, type SeenToken } from 'demo';

@Controller('demo/tokens')
export class DemoTokensController {
  @Get()
  @RequirePermission('analytics.run')
  @AllowClients('service-b')
  tokens(@AccessToken() caller: VerifiedAccessToken): readonly SeenToken[] {
    return [seenToken('service-c', caller)];
  }
}
