import { Controller, Get } from '@nestjs/common';
import { Public } from 'nestjs-keycloak-s2s';

@Controller()
export class OrdersController {
  @Get('health')
  @Public()
  health(): string {
    return 'up';
  }
}
