import { Controller, type Type } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import {
  Caller,
  InjectServiceClient,
  RequirePermission,
  type ServiceClient,
  type VerifiedAccessToken,
} from 'nestjs-keycloak-s2s';
import { McpEndpoint } from 'nestjs-keycloak-s2s-mcp';
import { z } from 'zod';
import { McpController, McpHttpControllerFor, Tool, type McpTransport } from './mcp-nest.js';

@McpController()
export class OrderTools {
  constructor(@InjectServiceClient('approvals') private readonly approvals: ServiceClient) {}

  @Tool({ name: 'whoami', description: 'Names the caller' })
  @RequirePermission('tools.use')
  whoami(@Caller() caller: VerifiedAccessToken): object {
    return { user: caller.username };
  }

  @Tool({
    name: 'approve_order',
    description: 'Approves an order',
    parameters: z.object({ id: z.string(), user: z.string().optional() }),
  })
  @RequirePermission('tools.approve')
  approve(@Payload() { id }: { id: string }, @Caller() caller: VerifiedAccessToken): Promise<object> {
    return this.approvals.onBehalfOf(caller, 'orders.approve').post('/api/approvals', { id });
  }
}

export function mcpNestEndpoint(transport: McpTransport): Type {
  @Controller('mcp')
  @McpEndpoint({ allowedOrigins: ['https://app.example.com'] })
  @RequirePermission('tools.use')
  class OrderToolsEndpoint extends McpHttpControllerFor(transport) {}
  return OrderToolsEndpoint;
}
