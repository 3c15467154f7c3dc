import { Controller, Get, Param } from '@nestjs/common';
import { AllowClients, Caller, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';

const STOCK: Readonly<Record<string, number>> = { pen: 3, ink: 0 };

@Controller('stock')
export class StockController {
  @Get(':article')
  @RequirePermission('stock.read')
  @AllowClients('orders')
  read(@Caller() caller: VerifiedAccessToken, @Param('article') article: string) {
    return { left: STOCK[article] ?? 0, reader: caller.subject };
  }
}
