import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { Caller, AllowClients, RequireStepUp, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { AnalyticsClient } from '../analytics.client.js';
import type { ProcessedOrder } from '../orders/orders.controller.js';
import { ProcessOrderDto } from '../orders/process-order.dto.js';

@Controller('api/refunds')
export class RefundsController {
  constructor(private readonly analytics: AnalyticsClient) {}

  // #region route
  @Post()
  @HttpCode(200)
  @RequirePermission('orders.approve')
  @AllowClients('service-a')
  @RequireStepUp({ maxAgeSeconds: 300 })
  async refund(@Caller() caller: VerifiedAccessToken, @Body() order: ProcessOrderDto): Promise<ProcessedOrder> {
    // #endregion route
    const computed = await this.analytics.compute(caller, 10);
    return { service_b: `Order ${order.order_id} refunded by Service B`, service_c: computed };
  }
}
