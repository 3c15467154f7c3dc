import { Controller, Get, Param } from '@nestjs/common';
import { Caller, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { StockClient } from './stock.client';

@Controller('orders')
export class OrdersController {
  constructor(private readonly stock: StockClient) {}

  @Get(':article')
  @RequirePermission('orders.read')
  async offer(@Caller() caller: VerifiedAccessToken, @Param('article') article: string) {
    return { article, ...(await this.stock.read(caller, article)) };
  }
}
