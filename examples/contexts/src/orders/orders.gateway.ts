import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Caller, Authenticated, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';

// #region gateway
@WebSocketGateway({ path: '/news' })
@Authenticated() // clients need a valid token to connect and to receive messages
export class OrdersGateway {
  @SubscribeMessage('cancel')
  @RequirePermission('orders.cancel')
  cancel(@Caller() caller: VerifiedAccessToken): { event: string; data: string } {
    return { event: 'cancelled', data: caller.subject };
  }
}
// #endregion gateway
