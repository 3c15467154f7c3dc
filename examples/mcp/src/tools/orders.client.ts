import { Injectable } from '@nestjs/common';
import { InjectServiceClient, ServiceClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';

/** Each call exchanges the caller's token, so Service B sees the user, and `order-tools` as the client. */
@Injectable()
export class OrdersClient {
  constructor(@InjectServiceClient('service-b') private readonly serviceB: ServiceClient) {}

  approve(caller: VerifiedAccessToken, id: number): Promise<object> {
    return this.serviceB.onBehalfOf(caller, 'orders.approve').post(`/demo/order-tools/orders/${id}/approval`, {});
  }

  receipt(caller: VerifiedAccessToken, id: number): Promise<object> {
    return this.serviceB.onBehalfOf(caller, 'receipts.read').get(`/demo/order-tools/receipts/${id}`);
  }
}
