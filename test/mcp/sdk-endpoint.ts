import { All, Controller, Inject, Req, Res } from '@nestjs/common';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, requireScopes, type ServerContext } from '@modelcontextprotocol/server';
import {
  Caller,
  InjectServiceClient,
  RequirePermission,
  type ServiceClient,
  type VerifiedAccessToken,
} from 'nestjs-keycloak-s2s';
import { HandlerAccess } from 'nestjs-keycloak-s2s/extension';
import { authInfoOf, McpEndpoint } from 'nestjs-keycloak-s2s-mcp';
import { z } from 'zod';

const callerOf = ({ http }: ServerContext): VerifiedAccessToken =>
  http?.authInfo?.extra?.['caller'] as VerifiedAccessToken;

const answer = (result: unknown) => ({ content: [{ type: 'text' as const, text: JSON.stringify(result) }] });

@Controller('mcp')
@McpEndpoint({ allowedOrigins: ['https://app.example.com'] })
@RequirePermission('tools.use')
export class SdkEndpoint {
  readonly #handler = toNodeHandler(createMcpHandler(() => this.#server()));

  constructor(
    @InjectServiceClient('approvals') private readonly approvals: ServiceClient,
    @Inject(HandlerAccess) private readonly access: HandlerAccess,
  ) {}

  // #region serve
  @All()
  async serve(@Req() request: NodeRequest, @Res() response: NodeResponse, @Caller() caller: VerifiedAccessToken) {
    const { raw = request, body } = request;
    const auth = authInfoOf(caller, this.access.metadataUrlOf(request));
    response.hijack?.();
    await this.#handler(Object.assign(raw, { auth }), response.raw ?? response, body);
  }
  // #endregion serve

  #server(): McpServer {
    const server = new McpServer({ name: 'order-tools', version: '1' });
    server.registerTool('whoami', {}, (context) => answer({ user: callerOf(context).username }));
    const approval = {
      inputSchema: z.object({ id: z.string(), user: z.string().optional() }),
      scopeChallenge: requireScopes('tools.use', 'tools.approve'),
    };
    server.registerTool('approve_order', approval, async ({ id }, context) =>
      answer(await this.approvals.onBehalfOf(callerOf(context), 'orders.approve').post('/api/approvals', { id })),
    );
    return server;
  }
}

type Handler = ReturnType<typeof toNodeHandler>;
type NodeRequest = Parameters<Handler>[0] & { readonly raw?: Parameters<Handler>[0]; readonly body?: unknown };
type NodeResponse = Parameters<Handler>[1] & { readonly raw?: Parameters<Handler>[1]; hijack?(): void };
