/** The classes have no state, so the specs share them. */
import type { Type } from '@nestjs/common';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { Caller, Public, RequireAnyPermission, RequirePermission, type VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { McpEndpoint, type McpEndpointOptions } from 'nestjs-keycloak-s2s-mcp';
import { z } from 'zod';
import { McpController, McpHttpControllerFor, Prompt, Resource, Tool, type McpTransport } from './mcp-nest.js';

@McpController()
export class OrderTools {
  @Tool({ name: 'whoami', description: 'Names the caller' })
  @RequirePermission('tools.use')
  whoami(@Caller() caller: VerifiedAccessToken): object {
    return { subject: caller.subject, client: caller.clientId };
  }

  @Tool({
    name: 'approve_order',
    description: 'Approves an order',
    parameters: z.object({ id: z.string(), user: z.string().optional() }),
  })
  @RequirePermission('tools.approve')
  approve(@Payload() { id }: { id: string }, @Caller() caller: VerifiedAccessToken): object {
    return { approved: id, by: caller.subject };
  }

  @Tool({ name: 'read_receipt', description: 'Reads a receipt' })
  @RequireAnyPermission('tools.receipts', 'tools.audit')
  receipt(): object {
    return { receipt: 1 };
  }

  @Tool({ name: 'version', description: 'Tells the version' })
  @Public()
  version(): object {
    return { version: 1 };
  }

  @Prompt({ name: 'approval', description: 'Asks for an approval' })
  @RequirePermission('tools.approve')
  prompt(): object {
    return { messages: [{ role: 'user', content: { type: 'text', text: 'Approve it' } }] };
  }

  @Resource({ uri: 'orders://open', name: 'open' })
  @RequirePermission('tools.receipts')
  open(): object {
    return { contents: [{ uri: 'orders://open', text: 'none' }] };
  }
}

export function orderToolsEndpoint(
  transport: McpTransport,
  options: McpEndpointOptions = {},
  access: ClassDecorator = RequirePermission('tools.use'),
): Type {
  @Controller('mcp')
  @McpEndpoint(options)
  @access
  class OrderToolsEndpoint extends McpHttpControllerFor(transport) {}
  return OrderToolsEndpoint;
}
