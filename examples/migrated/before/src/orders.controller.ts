import { Controller, Delete, Get, Headers, HttpCode, Post } from '@nestjs/common';
import { AuthenticatedUser, Public, RoleMatchingMode, Roles, Unprotected } from 'nest-keycloak-connect';
import { StockClient } from './stock.client';

// #region controller
@Controller('orders')
export class OrdersController {
  constructor(private readonly stock: StockClient) {}

  @Get('health')
  @Public()
  health() {
    return { status: 'up' };
  }

  @Get('greeting')
  @Unprotected(false)
  greeting(@AuthenticatedUser() user: any) {
    return { hello: user?.preferred_username ?? 'stranger' };
  }

  @Get()
  mine(@AuthenticatedUser() user: any) {
    return { orders: [1], of: user.preferred_username };
  }

  @Post('approve')
  @HttpCode(200)
  @Roles({ roles: ['realm:clerk', 'realm:approver'], mode: RoleMatchingMode.ALL })
  approve() {
    return { approved: true };
  }

  @Delete('1')
  @Roles({ roles: ['realm:Order Manager', 'realm:admin'] })
  remove() {
    return { removed: 1 };
  }

  @Get('stock')
  left(@Headers('authorization') authorization: string) {
    return this.stock.read(authorization);
  }
}
// #endregion controller
