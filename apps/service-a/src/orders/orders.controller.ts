import { Controller, Get, Param } from '@nestjs/common';
import { RequirePermission } from 'nestjs-keycloak-s2s';
import type { Order } from '../processing.client.js';
import { OrdersService } from './orders.service.js';

@Controller('api/orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Get(':id')
  @RequirePermission('orders.read')
  find(@Param('id') id: string): Order {
    return this.orders.find(id);
  }
}
