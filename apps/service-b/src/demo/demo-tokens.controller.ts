/** Demo tokens: what the token claims that Service B was called with, and the one that it had exchanged for it. */
import { Controller, Get } from '@nestjs/common';
import { AccessToken, AllowClients, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { seenToken, type SeenToken } from 'demo';
import { AnalyticsClient } from '../analytics.client.js';

@Controller('demo/tokens')
export class DemoTokensController {
  constructor(private readonly analytics: AnalyticsClient) {}

  /** Service C is called with the token that `POST /api/process` calls it with, while that is in the cache. */
  @Get()
  @RequirePermission('orders.approve')
  @AllowClients('service-a')
  async tokens(@AccessToken() caller: VerifiedAccessToken): Promise<readonly SeenToken[]> {
    return [seenToken('service-b', caller), ...(await this.analytics.tokens(caller))];
  }
}
