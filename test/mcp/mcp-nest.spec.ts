import { describe, expect, it } from '@jest/globals';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { BaseRpcContext } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { McpContext, McpController, Prompt, Resource, ResourceTemplate, Tool } from './mcp-nest.js';
import { mcpHandlers } from '../../libs/mcp/src/mcp-handlers.discovery.js';

@McpController()
class OrderTools {
  @Tool({ name: 'approve_order' })
  approve(): void {}

  @Tool({})
  whoami(): void {}

  @Prompt({ name: 'greeting', description: 'Greets' })
  greet(): void {}

  @Resource({ uri: 'orders://open' })
  open(): void {}

  @ResourceTemplate({ name: 'order', uriTemplate: 'orders://{id}' })
  order(): void {}
}

@McpController({ server: 'admin' })
class AdminTools {
  @Tool({ name: 'approve_order' })
  approve(): void {}
}

/** These facts of mcp-nest are what the package relies on. */
describe('@rekog/mcp-nest', () => {
  it('gives each handler the pattern from which the guard knows the handler', async () => {
    const module = await Test.createTestingModule({
      imports: [DiscoveryModule],
      controllers: [OrderTools, AdminTools],
    }).compile();
    const found = mcpHandlers(module.get(DiscoveryService));
    expect(found.map(({ kind, name, label, controller }) => [kind, name, label, controller])).toEqual([
      ['tool', 'approve_order', 'OrderTools.approve (MCP tool)', OrderTools],
      ['tool', 'whoami', 'OrderTools.whoami (MCP tool)', OrderTools],
      ['prompt', 'greeting', 'OrderTools.greet (MCP prompt)', OrderTools],
      ['resource', 'orders://open', 'OrderTools.open (MCP resource)', OrderTools],
      ['resource-template', 'orders://{id}', 'OrderTools.order (MCP resource-template)', OrderTools],
      ['tool', 'approve_order', 'AdminTools.approve (MCP tool)', AdminTools],
    ]);
    expect(found[0]?.method).toBe(OrderTools.prototype.approve);
    await module.close();
  });

  it('passes a context of Nest that returns the HTTP request', () => {
    const request = { headers: {} };
    const session = { transport: 'streamable-http', stateless: true } as const;
    const context = new McpContext([{} as never, {} as never, session, request]);
    expect(context).toBeInstanceOf(BaseRpcContext);
    expect(context.getRawRequest()).toBe(request);
  });
});
