import { Controller } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { Caller, AllowClients, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { StockMessages } from './stock-messages.js';

// #region consumer
@Controller()
export class OrdersConsumer {
  constructor(private readonly stock: StockMessages) {}

  @MessagePattern('orders.place')
  @RequirePermission('orders.write')
  @AllowClients('shop')
  async place(@Caller() caller: VerifiedAccessToken): Promise<string> {
    await this.stock.reserve(caller);
    return `placed for ${caller.subject}`;
  }
}
// #endregion consumer
