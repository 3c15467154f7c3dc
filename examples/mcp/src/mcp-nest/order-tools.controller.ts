// #region tools
import { Payload } from '@nestjs/microservices';
import { McpController, Tool } from '@rekog/mcp-nest';
import { Caller, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { z } from 'zod';
import { OrdersClient } from '../tools/orders.client.js';

const parameters = z.object({ id: z.number().int().positive() });

@McpController()
export class OrderTools {
  constructor(private readonly orders: OrdersClient) {}

  @Tool({ name: 'whoami', description: 'Names the user and the client' })
  @RequirePermission('tools.use')
  whoami(@Caller() caller: VerifiedAccessToken): object {
    return { user: caller.username, client: caller.clientId };
  }

  @Tool({ name: 'read_receipt', description: 'Reads the receipt of an order', parameters })
  @RequirePermission('tools.receipts')
  receipt(@Payload() { id }: { id: number }, @Caller() caller: VerifiedAccessToken): Promise<object> {
    return this.orders.receipt(caller, id);
  }

  @Tool({ name: 'approve_order', description: 'Approves an order', parameters })
  @RequirePermission('tools.approve')
  approve(@Payload() { id }: { id: number }, @Caller() caller: VerifiedAccessToken): Promise<object> {
    return this.orders.approve(caller, id);
  }
}
// #endregion tools
