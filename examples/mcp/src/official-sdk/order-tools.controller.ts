import { All, Controller, Req, Res } from '@nestjs/common';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, requireScopes, type ServerContext } from '@modelcontextprotocol/server';
import { Caller, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { HandlerAccess } from 'nestjs-keycloak-s2s/extension';
import { authInfoOf, McpEndpoint } from 'nestjs-keycloak-s2s-mcp';
import { z } from 'zod';
import { OrdersClient } from '../tools/orders.client.js';

type Handler = Parameters<ReturnType<typeof toNodeHandler>>;

const inputSchema = z.object({ id: z.number().int().positive() });
const callerOf = ({ http }: ServerContext) => http?.authInfo?.extra?.['caller'] as VerifiedAccessToken;
const answer = (result: object) => ({ content: [{ type: 'text' as const, text: JSON.stringify(result) }] });

@Controller('mcp')
@McpEndpoint({ allowedOrigins: ['https://app.example.com'] })
@RequirePermission('tools.use')
export class OrderToolsController {
  readonly #handler = toNodeHandler(createMcpHandler(() => this.#server()));

  constructor(
    private readonly orders: OrdersClient,
    private readonly access: HandlerAccess,
  ) {}

  @All()
  async serve(
    @Req() request: Handler[0] & { body?: unknown },
    @Res() response: Handler[1],
    @Caller() caller: VerifiedAccessToken,
  ): Promise<void> {
    const auth = authInfoOf(caller, this.access.metadataUrlOf(request));
    await this.#handler(Object.assign(request, { auth }), response, request.body);
  }

  #server(): McpServer {
    const server = new McpServer({ name: 'order-tools', version: '1.0.0' });
    server.registerTool('whoami', { description: 'Names the user and the client' }, (context) => {
      const { username, clientId } = callerOf(context);
      return answer({ user: username, client: clientId });
    });
    const forReceipts = requireScopes('tools.use', 'tools.receipts');
    server.registerTool(
      'read_receipt',
      { description: 'Reads the receipt of an order', inputSchema, scopeChallenge: forReceipts },
      async ({ id }, context) => answer(await this.orders.receipt(callerOf(context), id)),
    );
    const forApprovals = requireScopes('tools.use', 'tools.approve');
    server.registerTool(
      'approve_order',
      { description: 'Approves an order', inputSchema, scopeChallenge: forApprovals },
      async ({ id }, context) => answer(await this.orders.approve(callerOf(context), id)),
    );
    return server;
  }
}
