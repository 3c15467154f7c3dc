import { Controller, Get, Param } from '@nestjs/common';
import { Caller, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { StockClient, type Stock } from './stock.client.js';

export interface Offer extends Stock {
  readonly article: string;
}

// #region controller
@Controller('orders')
export class OrdersController {
  constructor(private readonly stock: StockClient) {}

  @Get(':article')
  @RequirePermission('orders.read')
  async offer(@Caller() caller: VerifiedAccessToken, @Param('article') article: string): Promise<Offer> {
    return { article, ...(await this.stock.read(caller, article)) };
  }
}
// #endregion controller
