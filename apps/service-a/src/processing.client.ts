/** ProcessingClient: the only file of Service A that knows Service B's paths. */
import { Injectable } from '@nestjs/common';
import { InjectServiceClient, ServiceClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';

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

  processAsSelf(order: Order): Promise<ProcessedOrder> {
    return this.serviceB.asSelf('orders.approve').post<ProcessedOrder>('/api/process', order);
  }

  processFor(caller: VerifiedAccessToken, order: Order): Promise<ProcessedOrder> {
    return this.serviceB.onBehalfOf(caller, 'orders.approve').post<ProcessedOrder>('/api/process', order);
  }
}
