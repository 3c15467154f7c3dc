import type { AddressInfo } from 'node:net';
import {
  Catch,
  Controller,
  Post,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
  type LoggerService,
  type Type,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  KeycloakModule,
  realmRoles,
  RequireAnyPermission,
  RequirePermission,
  type KeycloakModuleOptions,
} from 'nestjs-keycloak-s2s';
import { microservicesRequestAdapter } from 'nestjs-keycloak-s2s/microservices';
import {
  KeycloakTestingModule,
  signIn,
  testAccessToken,
  type TestAccessTokenOptions,
} from 'nestjs-keycloak-s2s/testing';
import { ask, ERAS, headersOf, isToolError, messageOf, send, textOf, toolCall, type Sent } from './mcp-calls.js';
import { McpController, McpStrategy, Resource, ResourceTemplate, StreamableHttpTransport, Tool } from './mcp-nest.js';
import { OrderTools, orderToolsEndpoint } from './guarded-tools.js';
import { McpEndpoint, mcpRequestAdapter, type McpEndpointOptions } from 'nestjs-keycloak-s2s-mcp';

const METADATA = 'https://tools.test/.well-known/oauth-protected-resource/mcp';

interface Parts {
  readonly keycloak?: Partial<KeycloakModuleOptions>;
  readonly endpoint?: McpEndpointOptions;
  readonly access?: ClassDecorator;
  readonly filter?: ExceptionFilter;
  readonly tools?: Type;
  readonly isSelfMounted?: boolean;
  readonly others?: readonly Type[];
}

@Controller('admin')
@McpEndpoint()
@RequirePermission('admin.use')
class AnotherEndpoint {
  @Post()
  answer(): object {
    return {};
  }
}

@McpController()
class Receipts {
  @Tool({ name: 'sign_receipt' })
  @RequirePermission('tools.sign')
  @RequireAnyPermission('tools.receipts', 'tools.audit')
  sign(): void {}
}

const CONTENTS = { contents: [{ uri: 'orders://open', text: 'for everybody' }] };

@McpController()
class OrdersByTemplate {
  @ResourceTemplate({ name: 'order', uriTemplate: 'orders://{id}' })
  @RequirePermission('tools.use')
  order(): object {
    return CONTENTS;
  }

  @Resource({ uri: 'orders://open' })
  @RequirePermission('tools.receipts')
  open(): void {}

  @Resource({ uri: 'orders://open/all' })
  @RequirePermission('tools.receipts')
  all(): void {}
}

@McpController()
class TwoSchemes {
  @Resource({ uri: 'public://open' })
  @RequirePermission('tools.use')
  first(): object {
    return CONTENTS;
  }

  @Resource({ uri: 'orders://open' })
  @RequirePermission('tools.receipts')
  second(): void {}
}

@Catch()
class CatchAll implements ExceptionFilter {
  catch(_: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<{ status(code: number): { send(body: object): void } }>();
    response.status(403).send({ error: 'refused' });
  }
}

const apps: INestApplication[] = [];
const lines: string[] = [];
const log = (...args: unknown[]): void => {
  lines.push(JSON.stringify(args));
};
const logger: LoggerService = { log, warn: log, error: log };

afterEach(async () => {
  lines.splice(0);
  for (const app of apps.splice(0)) await app.close();
});

const ADAPTERS = { Express: () => new ExpressAdapter(), Fastify: () => new FastifyAdapter() };

describe.each(['Express', 'Fastify'] as const)('an MCP endpoint on %s', (platform) => {
  async function start(parts: Parts = {}) {
    const { keycloak, endpoint, access, filter, tools = OrderTools, isSelfMounted = false, others = [] } = parts;
    const transport = new StreamableHttpTransport({ mount: isSelfMounted });
    const module = await Test.createTestingModule({
      imports: [
        KeycloakTestingModule.forRoot({
          protectedResource: { resource: 'https://tools.test/mcp' },
          requestAdapters: [mcpRequestAdapter()],
          ...keycloak,
        }),
      ],
      controllers: [tools, ...others, ...(isSelfMounted ? [] : [orderToolsEndpoint(transport, endpoint, access)])],
    })
      .setLogger(logger)
      .compile();
    const app = module.createNestApplication<INestApplication>(ADAPTERS[platform]() as ExpressAdapter);
    apps.push(app);
    if (filter !== undefined) app.useGlobalFilters(filter);
    const httpAdapter = app.getHttpAdapter();
    const strategy = new McpStrategy({ name: 'order-tools', version: '1', transports: [transport], httpAdapter });
    app.connectMicroservice({ strategy }, { inheritAppConfig: true });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    const server = app.getHttpServer() as { address(): AddressInfo };
    const url = `http://127.0.0.1:${server.address().port}/mcp`;
    const token = (permissions: string, more: TestAccessTokenOptions = {}): string =>
      signIn(
        app,
        testAccessToken({
          subject: 'alice',
          client: 'agent',
          permissions: permissions.split(' ').filter(Boolean),
          ...more,
        }),
      );
    return { url, token };
  }

  describe.each(ERAS)('for a client of %s', (era) => {
    it('names its metadata and its scope to a caller without a token (M2, M3)', async () => {
      const { url } = await start();
      const { status, headers } = await ask(url, era, toolCall('whoami'));
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toBe(
        `Bearer realm="test-service", scope="tools.use", resource_metadata="${METADATA}"`,
      );
    });

    it('runs a tool, a prompt and a resource for the caller of the request', async () => {
      const { url, token } = await start();
      const sent = { token: token('tools.use tools.approve tools.receipts') };
      const forged = toolCall('approve_order', { id: '9876', user: 'bob' });
      expect(textOf(await ask(url, era, forged, sent))).toBe('{"approved":"9876","by":"alice"}');
      expect(textOf(await ask(url, era, toolCall('version'), sent))).toBe('{"version":1}');
      const prompt = await ask(url, era, ['prompts/get', { name: 'approval' }], sent);
      expect(prompt.body).toMatchObject({ result: { messages: [{ role: 'user' }] } });
      const resource = await ask(url, era, ['resources/read', { uri: 'orders://open' }], sent);
      expect(resource.body).toMatchObject({ result: { contents: [{ text: 'none' }] } });
    });

    it.each([
      ['a tool', toolCall('approve_order', { id: '1' }), 'tools.use tools.approve'],
      ['a tool with alternatives', toolCall('read_receipt'), 'tools.use tools.receipts'],
      ['a prompt', ['prompts/get', { name: 'approval' }] as const, 'tools.use tools.approve'],
      ['a resource', ['resources/read', { uri: 'orders://open' }] as const, 'tools.use tools.receipts'],
    ])('names all scopes of %s that the token lacks in a 403 (M8)', async (_, call, scope) => {
      const { url, token } = await start();
      const { status, headers, body } = await ask(url, era, call, { token: token('tools.use') });
      expect(status).toBe(403);
      expect(headers.get('www-authenticate')).toBe(
        `Bearer realm="test-service", error="insufficient_scope", scope="${scope}", resource_metadata="${METADATA}"`,
      );
      expect(body).toMatchObject({ code: 'insufficient_scope' });
    });

    it('names the alternatives that the token has, for the endpoint and the tool', async () => {
      const { url, token } = await start({ tools: Receipts, access: RequireAnyPermission('tools.use', 'tools.admin') });
      const sent = { token: token('tools.admin tools.audit') };
      const { status, headers } = await ask(url, era, toolCall('sign_receipt'), sent);
      expect(status).toBe(403);
      expect(headers.get('www-authenticate')).toContain('scope="tools.admin tools.sign tools.audit"');
    });

    it('challenges for a resource that no template matches', async () => {
      const { url, token } = await start({ tools: OrdersByTemplate });
      const read = ['resources/read', { uri: 'orders://open/all' }] as const;
      const { status, headers } = await ask(url, era, read, { token: token('tools.use') });
      expect(status).toBe(403);
      expect(headers.get('www-authenticate')).toContain('scope="tools.use tools.receipts"');
    });

    it.each([
      ['a template that matches first', OrdersByTemplate],
      ['a resource of another scheme', TwoSchemes],
    ])('leaves the decision about a resource beside %s to the guard of the handler', async (_, tools) => {
      const { url, token } = await start({ tools });
      const read = ['resources/read', { uri: 'orders://open' }] as const;
      const { status, body } = await ask(url, era, read, { token: token('tools.use') });
      expect([status, body]).toMatchObject([200, { result: CONTENTS }]);
    });

    it('answers a tool error after a login that did not help', async () => {
      const { url, token } = await start();
      const call = toolCall('approve_order', { id: '1' });
      const first = token('tools.use');
      expect((await ask(url, era, call, { token: first })).status).toBe(403);
      expect((await ask(url, era, call, { token: first })).status).toBe(403);
      const second = await ask(url, era, call, { token: token('tools.use') });
      expect([second.status, isToolError(second)]).toEqual([200, true]);
      expect(textOf(second)).toBe('Insufficient permission: tools.approve (insufficient_scope)');
      expect((await ask(url, era, call, { token: token('tools.use', { subject: 'bob' }) })).status).toBe(403);
      expect((await ask(url, era, call, { token: token('tools.use', { client: 'other' }) })).status).toBe(403);
    });

    it('answers a tool error where permissions are roles, since no scope helps', async () => {
      const { url, token } = await start({ keycloak: { mapPermissions: realmRoles } });
      const claims = { realm_access: { roles: ['tools.use'] } };
      const answer = await ask(url, era, toolCall('approve_order', { id: '1' }), { token: token('', { claims }) });
      expect([answer.status, isToolError(answer)]).toEqual([200, true]);
    });

    it('names no scope of a tool beside another endpoint, whose tool it may be', async () => {
      const { url, token } = await start({ others: [AnotherEndpoint] });
      const refused = await ask(url, era, toolCall('approve_order', { id: '1' }), { token: token('tools.use') });
      expect([refused.status, isToolError(refused), refused.headers.get('www-authenticate')]).toEqual([
        200,
        true,
        null,
      ]);
    });

    it('lists the tools that the caller may not call, so that its client can ask for the scope', async () => {
      const { url, token } = await start();
      const { body } = await ask(url, era, ['tools/list', {}], { token: token('tools.use') });
      const { tools } = body['result'] as { tools: { name: string }[] };
      expect(tools.map(({ name }) => name)).toEqual(['whoami', 'approve_order', 'read_receipt', 'version']);
    });

    it('refuses each tool of a transport that mounts itself, and says what to write instead', async () => {
      const { url, token } = await start({ isSelfMounted: true });
      const answer = await ask(url, era, toolCall('whoami'), { token: token('tools.use') });
      expect([answer.status, isToolError(answer), textOf(answer)]).toEqual([200, true, 'Route closed (route_closed)']);
      expect(lines.join('\n')).toContain('McpHttpControllerFor(transport)');
    });
  });

  it('challenges and logs before a catch-all filter of the application answers', async () => {
    const { url, token } = await start({ filter: new CatchAll() });
    const sent = { token: token('tools.use') };
    const { status, headers, body } = await ask(url, '2025-11-25', toolCall('approve_order', { id: '1' }), sent);
    expect([status, body]).toEqual([403, { error: 'refused' }]);
    expect(headers.get('www-authenticate')).toContain('scope="tools.use tools.approve"');
    expect(lines.filter((line) => line.includes('Request refused'))).toHaveLength(1);
  });

  it('protects the tools beside the adapter of other microservices', async () => {
    const requestAdapters = [microservicesRequestAdapter(), mcpRequestAdapter()];
    const { url, token } = await start({ keycloak: { requestAdapters } });
    const approve = toolCall('approve_order', { id: '1' });
    expect((await ask(url, '2025-11-25', approve, { token: token('tools.use') })).status).toBe(403);
    const answer = await ask(url, '2025-11-25', approve, { token: token('tools.use tools.approve') });
    expect(textOf(answer)).toBe('{"approved":"1","by":"alice"}');
  });

  it('names the metadata of the endpoint beside those of a REST API', async () => {
    const protectedResource = [{ resource: 'https://tools.test' }, { resource: 'https://tools.test/mcp' }];
    const { url } = await start({ keycloak: { protectedResource } });
    const { headers } = await ask(url, '2025-11-25', toolCall('whoami'));
    expect(headers.get('www-authenticate')).toContain(`resource_metadata="${METADATA}"`);
  });

  it('names no scope in the 401 with challenge: none', async () => {
    const { url } = await start({ endpoint: { challenge: 'none' } });
    const { headers } = await ask(url, '2025-11-25', toolCall('whoami'));
    expect(headers.get('www-authenticate')).toBe(`Bearer realm="test-service", resource_metadata="${METADATA}"`);
  });

  it('judges each call of a batch', async () => {
    const { url, token } = await start();
    const calls = [toolCall('whoami'), toolCall('approve_order', { id: '1' })];
    const batch = calls.map(([method, params], id) => ({ ...messageOf('2025-11-25', method, params), id }));
    const headers = headersOf('2025-11-25', 'tools/call', {});
    const { status, body } = await send(url, batch, { token: token('tools.use'), headers });
    expect(status).toBe(200);
    expect(Object.values(body)).toMatchObject([
      { id: 0, result: { content: [{}] } },
      { id: 1, result: { isError: true } },
    ]);
  });

  it('decides by the body, and not by a Mcp-Name that names another tool', async () => {
    const { url, token } = await start();
    const call = toolCall('approve_order', { id: '1' });
    const sent = { token: token('tools.use'), headers: { 'mcp-name': 'whoami' } };
    expect((await ask(url, '2026-07-28', call, sent)).status).toBe(403);
  });

  it.each<[string, Sent, number, string]>([
    ['a foreign Origin', { headers: { origin: 'https://evil.test' } }, 403, 'Origin not allowed'],
    ['the Origin null', { headers: { origin: 'null' } }, 403, 'Origin not allowed'],
    ['a session id', { headers: { 'mcp-session-id': 'of-somebody' } }, 404, 'Session not found'],
  ])('refuses %s (M11, M13)', async (_, { headers = {} }, status, message) => {
    const { url, token } = await start({ endpoint: { allowedOrigins: ['https://app.example.com'] } });
    const sent = { token: token('tools.use'), headers };
    const refused = await ask(url, '2025-11-25', toolCall('whoami'), sent);
    expect([refused.status, refused.body]).toMatchObject([status, { jsonrpc: '2.0', error: { message }, id: null }]);
    await ask(url, '2025-11-25', toolCall('whoami'), sent);
    expect(lines.filter((line) => line.includes('@McpEndpoint()'))).toHaveLength(1);
  });

  it('serves a page of an allowed Origin', async () => {
    const { url, token } = await start({ endpoint: { allowedOrigins: ['https://app.example.com'] } });
    const sent = { token: token('tools.use'), headers: { origin: 'https://app.example.com' } };
    expect((await ask(url, '2025-11-25', toolCall('whoami'), sent)).status).toBe(200);
  });

  it('does not start in production without allowedOrigins', async () => {
    const nodeEnv = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      const issuer = 'https://sso.test/realms/shop';
      const clientSecret = 'a-secret-that-nobody-could-guess';
      const builder = Test.createTestingModule({
        imports: [KeycloakModule.forRoot({ issuer, clientId: 'order-tools', clientSecret })],
        controllers: [orderToolsEndpoint(new StreamableHttpTransport())],
      });
      await expect(builder.compile()).rejects.toThrow('allowedOrigins must be a list of origins');
    } finally {
      process.env['NODE_ENV'] = nodeEnv;
    }
  });

  it.each([
    ['no adapter', []],
    ['another adapter', [microservicesRequestAdapter()]],
  ])('does not start with tools and %s', async (_case, requestAdapters) => {
    await expect(start({ keycloak: { requestAdapters } })).rejects.toThrow('requestAdapters lacks mcpRequestAdapter()');
  });

  it('does not start with a tool that has no access decorator, unless it observes and refuses nothing', async () => {
    @McpController()
    class HalfGuarded {
      @Tool({ name: 'guarded' })
      @RequirePermission('tools.use')
      guarded(): void {}

      @Tool({ name: 'forgotten' })
      forgotten(): object {
        return { found: true };
      }
    }
    await expect(start({ tools: HalfGuarded })).rejects.toThrow('HalfGuarded.forgotten (MCP tool)');
    const observeUntil = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const { url } = await start({ tools: HalfGuarded, keycloak: { enforcement: 'observe', observeUntil } });
    const headers = { origin: 'https://evil.test', 'mcp-session-id': 'any' };
    const answer = await ask(url, '2025-11-25', toolCall('forgotten'), { headers });
    expect([answer.status, isToolError(answer)]).toEqual([200, false]);
  });
});
