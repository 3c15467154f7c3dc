import { Controller, Get, Param, Req, StreamableFile } from '@nestjs/common';
import { Caller, BearerError, OptionalToken, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import type { CookieRequest } from '../login/cookies.js';
import { SessionCaller } from '../login/session-caller.js';
import { OrdersService } from '../orders/orders.service.js';
import { ReceiptsClient } from '../receipts.client.js';

const PERMISSION = 'orders.read';

@Controller('api/orders')
export class ReceiptsController {
  constructor(
    private readonly orders: OrdersService,
    private readonly receipts: ReceiptsClient,
    private readonly sessionCaller: SessionCaller,
  ) {}

  @Get(':id/receipt')
  @OptionalToken()
  @RequirePermission(PERMISSION)
  async receipt(
    @Caller() sent: VerifiedAccessToken | undefined,
    @Param('id') id: string,
    @Req() request: CookieRequest,
  ): Promise<StreamableFile> {
    const caller = sent ?? (await this.sessionCaller.of(request, PERMISSION));
    if (caller === undefined) throw new BearerError('missing_token', { reason: 'no_credentials' });
    const { document, ...headers } = await this.receipts.receiptFor(caller, this.orders.find(id).order_id);
    return new StreamableFile(document, headers);
  }
}
