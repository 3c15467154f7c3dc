import { Controller, Get } from '@nestjs/common';
import { Caller, AllowClients, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { seenToken, type SeenToken } from 'demo';
import { AnalyticsClient } from '../analytics.client.js';

@Controller('demo/tokens')
export class DemoTokensController {
  constructor(private readonly analytics: AnalyticsClient) {}

  /** If the token for Service C is cached, `POST /api/process` uses the same token. */
  @Get()
  @RequirePermission('orders.approve')
  @AllowClients('service-a')
  async tokens(@Caller() caller: VerifiedAccessToken): Promise<readonly SeenToken[]> {
    return [seenToken('service-b', caller), ...(await this.analytics.tokens(caller))];
  }
}
