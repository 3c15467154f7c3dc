import { Controller, Get } from '@nestjs/common';
import { Caller, AllowClients, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { seenToken, type SeenToken } from 'demo';

@Controller('demo/tokens')
export class DemoTokensController {
  @Get()
  @RequirePermission('analytics.run')
  @AllowClients('service-b')
  tokens(@Caller() caller: VerifiedAccessToken): readonly SeenToken[] {
    return [seenToken('service-c', caller)];
  }
}
