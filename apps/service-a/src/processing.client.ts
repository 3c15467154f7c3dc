import { Injectable } from '@nestjs/common';
import { InjectServiceClient, ServiceCallError, ServiceClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { seenTokens, type SeenToken } from 'demo';

export interface Order {
  readonly order_id: number;
  readonly amount: number;
}

export interface ProcessedOrder {
  readonly service_b: string;
  readonly service_c: { readonly result: number; readonly msg: string };
}

@Injectable()
export class ProcessingClient {
  constructor(@InjectServiceClient('service-b') private readonly serviceB: ServiceClient) {}

  async processAsSelf(order: Order): Promise<ProcessedOrder> {
    return processedOrder(await this.serviceB.asService('orders.approve').post('/api/process', order));
  }

  async processFor(caller: VerifiedAccessToken, order: Order): Promise<ProcessedOrder> {
    return processedOrder(await this.serviceB.onBehalfOf(caller, 'orders.approve').post('/api/process', order));
  }

  async refundFor(caller: VerifiedAccessToken, order: Order): Promise<ProcessedOrder> {
    return processedOrder(await this.serviceB.onBehalfOf(caller, 'orders.approve').post('/api/refunds', order));
  }

  async tokens(caller: VerifiedAccessToken | undefined): Promise<readonly SeenToken[]> {
    const { serviceB } = this;
    const called =
      caller === undefined ? serviceB.asService('orders.approve') : serviceB.onBehalfOf(caller, 'orders.approve');
    const seen = seenTokens(await called.get('/demo/tokens'));
    if (seen === undefined) throw new ServiceCallError('service_failed', 'service-b', 'answer_not_as_agreed');
    return seen;
  }
}

function processedOrder(answer: Partial<ProcessedOrder> | undefined): ProcessedOrder {
  const { service_b, service_c } = answer ?? {};
  if (typeof service_b !== 'string' || typeof service_c?.result !== 'number' || typeof service_c.msg !== 'string') {
    throw new ServiceCallError('service_failed', 'service-b', 'answer_not_as_agreed');
  }
  return { service_b, service_c: { result: service_c.result, msg: service_c.msg } };
}
