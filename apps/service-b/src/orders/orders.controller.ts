import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { Caller, AllowClients, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { AnalyticsClient, type ComputeResult } from '../analytics.client.js';
import { ProcessOrderDto } from './process-order.dto.js';

export interface ProcessedOrder {
  readonly service_b: string;
  readonly service_c: ComputeResult;
}

@Controller('api/process')
export class OrdersController {
  constructor(private readonly analytics: AnalyticsClient) {}

  @Post()
  @HttpCode(200)
  @RequirePermission('orders.approve')
  @AllowClients('service-a')
  async process(@Caller() caller: VerifiedAccessToken, @Body() order: ProcessOrderDto): Promise<ProcessedOrder> {
    const computed = await this.analytics.compute(caller, 10);
    return { service_b: `Order ${order.order_id} processed by Service B`, service_c: computed };
  }
}
