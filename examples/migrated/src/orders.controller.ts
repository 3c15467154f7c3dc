import { Controller, Delete, Get, HttpCode, Post } from '@nestjs/common';
import {
  Caller,
  Authenticated,
  OptionalToken,
  Public,
  RequireAnyPermission,
  RequirePermission,
  VerifiedAccessToken,
} from 'nestjs-keycloak-s2s';
import { StockClient } from './stock.client';

// #region controller
@Controller('orders')
@Authenticated() // nest-keycloak-connect accepted any valid token on a route without decorators
export class OrdersController {
  constructor(private readonly stock: StockClient) {}

  @Get('health')
  @Public()
  health() {
    return { status: 'up' };
  }

  @Get('greeting')
  @OptionalToken()
  greeting(@Caller() user?: VerifiedAccessToken) {
    return { hello: user?.username ?? 'stranger' };
  }

  @Get()
  mine(@Caller() user: VerifiedAccessToken) {
    return { orders: [1], of: user.username };
  }

  @Post('approve')
  @HttpCode(200)
  @RequirePermission('clerk', 'approver')
  approve() {
    return { approved: true };
  }

  @Delete('1')
  @RequireAnyPermission('Order Manager', 'admin')
  remove() {
    return { removed: 1 };
  }

  @Get('stock')
  left(@Caller() user: VerifiedAccessToken) {
    return this.stock.read(user);
  }
}
// #endregion controller
