import { All, Controller, Get, Module, Version, VersioningType, type INestApplication } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { microservicesRequestAdapter } from '../entry-points/microservices/index.js';
import { KeycloakModule, RequirePermission, type KeycloakModuleOptions } from '../index.js';
import { KeycloakTestingModule, signIn, testAccessToken } from '../testing/index.js';

@Controller()
class Api {
  @Get(['orders', 'orders/:id'])
  @RequirePermission('orders.read')
  read(): void {}

  @Get('mcpish')
  @RequirePermission('mcpish.read')
  similar(): void {}

  @Get(':tenant/tools')
  @RequirePermission('tenant.read')
  ofTenant(): void {}

  @MessagePattern('placed')
  @RequirePermission('orders.place')
  placed(): void {}
}

@Controller('mcp')
class Mcp {
  @All()
  @RequirePermission('tools.use')
  use(): void {}

  @Get('admin/users')
  @RequirePermission('tools.admin')
  admin(): void {}

  @Version('2')
  @Get('versioned')
  @RequirePermission('tools.versioned')
  versioned(): void {}
}

@Controller(['both', 'mcp/both'])
class Both {
  @Get()
  @RequirePermission('both.read')
  read(): void {}
}

@Controller('routed')
class Routed {
  @Get()
  @RequirePermission('routed.read')
  read(): void {}
}

@Module({ controllers: [Routed] })
class RoutedModule {}

const ORIGIN = 'https://shop.example.com';
const WELL_KNOWN = '/.well-known/oauth-protected-resource';
const KEYCLOAK = { issuer: 'https://sso.example.com/realms/shop', clientId: 'shop', clientSecret: 'hush' };

let app: INestApplication;
afterEach(() => app.close());

interface Start {
  readonly adapter: () => object;
  readonly paths: readonly string[];
  readonly configure?: (application: INestApplication) => unknown;
}

async function start({ adapter, paths, configure }: Start) {
  const protectedResource = paths.map((path) => ({ resource: ORIGIN + path, resourceName: `at ${path}` }));
  const options: KeycloakModuleOptions = {
    ...KEYCLOAK,
    protectedResource,
    requestAdapters: [microservicesRequestAdapter()],
  };
  const imports = [
    KeycloakModule.forRoot(options),
    RoutedModule,
    RouterModule.register([{ path: 'mcp', module: RoutedModule }]),
  ];
  const builder = Test.createTestingModule({ imports, controllers: [Api, Mcp, Both] });
  const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };
  const compiled = await KeycloakTestingModule.override(builder).setLogger(silent).compile();
  app = compiled.createNestApplication(adapter() as ExpressAdapter);
  configure?.(app);
  await app.listen(0, '127.0.0.1');
  const client = request(app.getHttpServer() as never);
  const metadataIn = (header: unknown): string | undefined =>
    /resource_metadata="([^"]+)"/.exec(String(header))?.[1]?.slice(ORIGIN.length);
  return {
    client,
    scopesAt: async (path: string): Promise<unknown> => {
      const { body } = await client.get(WELL_KNOWN + path).expect(200);
      const { resource, resource_name: name, scopes_supported: scopes } = body as Record<string, unknown>;
      expect([resource, name]).toEqual([ORIGIN + path, `at ${path}`]);
      return scopes;
    },
    challenged: async (path: string, token?: string): Promise<string | undefined> => {
      const asked = client.get(path);
      const { status, headers } = await (token === undefined ? asked : asked.auth(token, { type: 'bearer' }));
      expect([401, 403]).toContain(status);
      return metadataIn(headers['www-authenticate']);
    },
  };
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('several protected resources on %s', (_, adapter) => {
  it('have metadata of their own, which name the scopes of the routes below the path of the resource (RFC 9728 section 3.1)', async () => {
    const { scopesAt, client } = await start({ adapter, paths: ['', '/mcp', '/mcp/admin'] });
    expect(await scopesAt('')).toEqual(['both.read', 'mcpish.read', 'orders.place', 'orders.read', 'tenant.read']);
    expect(await scopesAt('/mcp')).toEqual([
      'both.read',
      'orders.place',
      'routed.read',
      'tools.use',
      'tools.versioned',
    ]);
    expect(await scopesAt('/mcp/admin')).toEqual(['orders.place', 'tools.admin']);
    await client.get(`${WELL_KNOWN}/orders`).expect(404);
  });

  it('are named in a challenge by the longest path that contains the route (RFC 9728 section 5.1)', async () => {
    const { challenged } = await start({ adapter, paths: ['/mcp', '', '/mcp/admin'] });
    const named = {
      '/orders': '',
      '/orders/7': '',
      '/mcpish': '',
      '/mcp': '/mcp',
      '/mcp?path=/orders': '/mcp',
      '/mcp/both': '/mcp',
      '/both': '',
      '/mcp/routed': '/mcp',
      '/mcp/admin/users': '/mcp/admin',
    };
    for (const [path, resource] of Object.entries(named)) {
      expect([path, await challenged(path)]).toEqual([path, WELL_KNOWN + resource]);
    }
    const weak = signIn(app, testAccessToken({ permissions: ['orders.read'] }));
    expect(await challenged('/mcp', weak)).toBe(`${WELL_KNOWN}/mcp`);
    expect(await challenged('/mcp', 'junk')).toBe(`${WELL_KNOWN}/mcp`);
  });

  it('are not chosen by a path that the caller writes', async () => {
    const { challenged } = await start({ adapter, paths: ['', '/mcp'] });
    expect(await challenged('/mcp%2Fx/tools')).toBe(WELL_KNOWN);
    expect(await challenged('/orders/..%2Fmcp')).toBe(WELL_KNOWN);
    expect(await challenged('/orders/mcp')).toBe(WELL_KNOWN);
  });

  it('are not named in the challenges of routes that are below no path', async () => {
    const { challenged, client } = await start({ adapter, paths: ['/mcp'] });
    expect(await challenged('/orders')).toBeUndefined();
    expect(await challenged('/mcp')).toBe(`${WELL_KNOWN}/mcp`);
    await client.get(WELL_KNOWN).expect(404);
  });

  it('have paths with the global prefix and the version of their routes', async () => {
    const { scopesAt, challenged, client } = await start({
      adapter,
      paths: ['/api/v1/mcp', '/api/v2/mcp', '/api'],
      configure: (application) => {
        application.setGlobalPrefix('api');
        application.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
      },
    });
    expect(await challenged('/api/v1/mcp')).toBe(`${WELL_KNOWN}/api/v1/mcp`);
    expect(await challenged('/api/v2/mcp/versioned')).toBe(`${WELL_KNOWN}/api/v2/mcp`);
    expect(await challenged('/api/v1/orders')).toBe(`${WELL_KNOWN}/api`);
    expect(await scopesAt('/api/v1/mcp')).toEqual([
      'both.read',
      'orders.place',
      'routed.read',
      'tools.admin',
      'tools.use',
    ]);
    expect(await scopesAt('/api/v2/mcp')).toEqual(['orders.place', 'tools.versioned']);
    await client.get(`/api${WELL_KNOWN}/api`).expect(404);
  });
});
