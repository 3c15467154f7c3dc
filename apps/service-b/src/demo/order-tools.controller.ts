import { Controller, Get, HttpCode, Param, ParseIntPipe, Post } from '@nestjs/common';
import { AllowClients, Caller, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { seenToken, type SeenToken } from 'demo';
import { AnalyticsClient } from '../analytics.client.js';
import { ReceiptsService } from '../receipts/receipts.service.js';

/** `tokens` are the tokens that arrived at Service B and Service C. */
interface ForTools {
  readonly tokens: readonly SeenToken[];
}

@Controller('demo/order-tools')
export class OrderToolsController {
  constructor(
    private readonly analytics: AnalyticsClient,
    private readonly receipts: ReceiptsService,
  ) {}

  @Post('orders/:id/approval')
  @HttpCode(200)
  @RequirePermission('orders.approve')
  @AllowClients('order-tools')
  async approve(
    @Param('id', ParseIntPipe) id: number,
    @Caller() caller: VerifiedAccessToken,
  ): Promise<ForTools & { readonly approved: number; readonly by: string | undefined }> {
    await this.analytics.compute(caller, 10);
    const tokensAtC = await this.analytics.tokens(caller);
    return { approved: id, by: caller.username, tokens: [seenToken('service-b', caller), ...tokensAtC] };
  }

  @Get('receipts/:id')
  @RequirePermission('receipts.read')
  @AllowClients('order-tools')
  receipt(@Param('id') id: string, @Caller() caller: VerifiedAccessToken): ForTools & { readonly receipt: string } {
    const { document } = this.receipts.find(id);
    return { receipt: document.toString(), tokens: [seenToken('service-b', caller)] };
  }
}
