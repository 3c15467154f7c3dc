import {
  Controller,
  Get,
  Injectable,
  VersioningType,
  type CallHandler,
  type DynamicModule,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { map, type Observable } from 'rxjs';
import request from 'supertest';
import {
  Authenticated,
  KeycloakModule,
  Public,
  RequireAnyPermission,
  RequireStepUp,
  RequirePermission,
  type KeycloakModuleOptions,
} from '../index.js';
import { addKeycloakSecurity } from '../entry-points/swagger/index.js';
import { KeycloakTestingModule, signIn, testAccessToken } from '../testing/index.js';

@Controller('orders')
class OrdersController {
  @Get()
  @RequirePermission('orders.read')
  list(): string {
    return 'orders';
  }

  @Get('settled')
  @RequirePermission('orders.read')
  @RequireStepUp({ acr: 'gold', maxAgeSeconds: 60 })
  settled(): string {
    return 'settled';
  }

  @Get('reports')
  @RequireAnyPermission('reports.sales', 'reports.audit')
  reports(): string {
    return 'reports';
  }

  @Get('mine')
  @Authenticated()
  mine(): string {
    return 'mine';
  }

  @Get('status')
  @Public()
  status(): object {
    return { up: true };
  }

  @Get('forgotten')
  forgotten(): string {
    return 'forgotten';
  }
}

@Injectable()
class Envelope implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

const RESOURCE = 'https://orders.example.com';
const WELL_KNOWN = '/.well-known/oauth-protected-resource';
const KEYCLOAK = { issuer: 'https://sso.example.com/realms/shop', clientId: 'orders', clientSecret: 'hush' };

const METADATA = {
  resource: RESOURCE,
  authorization_servers: [KEYCLOAK.issuer],
  bearer_methods_supported: ['header'],
  scopes_supported: ['orders.read', 'reports.audit', 'reports.sales'],
};

const ADAPTERS = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
] as const;

const MODULES = [
  ['forRoot', (options: KeycloakModuleOptions) => KeycloakModule.forRoot(options)],
  [
    'forRootAsync',
    (options: KeycloakModuleOptions) => KeycloakModule.forRootAsync({ useFactory: async () => options }),
  ],
] as const;

let app: INestApplication;
let lines: string[];
afterEach(() => app.close());

interface Made {
  readonly module: DynamicModule;
  readonly adapter: () => ExpressAdapter | FastifyAdapter;
  readonly configure?: (application: INestApplication) => unknown;
}

async function start({ module, adapter, configure }: Made): Promise<ReturnType<typeof request>> {
  lines = [];
  const log = (line: unknown): unknown => lines.push(String(line));
  const providers = [{ provide: APP_INTERCEPTOR, useClass: Envelope }];
  const builder = Test.createTestingModule({ imports: [module], controllers: [OrdersController], providers });
  const compiled = await KeycloakTestingModule.override(builder).setLogger({ log, warn: log, error: log }).compile();
  app = compiled.createNestApplication(adapter() as FastifyAdapter);
  configure?.(app);
  await app.listen(0, '127.0.0.1');
  return request(app.getHttpServer() as never);
}

describe.each(ADAPTERS)('protected resource metadata on %s', (_, adapter) => {
  describe.each(MODULES)('protected resource metadata by %s', (__, moduleOf) => {
    const make = (options: Partial<KeycloakModuleOptions> = {}, configure?: Made['configure']) =>
      start({
        module: moduleOf({ ...KEYCLOAK, ...options }),
        adapter,
        ...(configure === undefined ? {} : { configure }),
      });
    const served = (resource = RESOURCE, configure?: Made['configure']) =>
      make({ protectedResource: { resource } }, configure);

    it('is absent by default, both at its URL and in challenges (RS-22)', async () => {
      const client = await make();
      await client.get(WELL_KNOWN).expect(404);
      const { headers } = await client.get('/orders').expect(401);
      expect(headers['www-authenticate']).toBe('Bearer realm="orders"');
      expect(lines.join('\n')).not.toContain('ProtectedResource');
    });

    it('is served to every client with the configured content (RS-22)', async () => {
      const client = await served();
      for (const authorization of [undefined, 'Bearer junk']) {
        const asked = client.get(WELL_KNOWN);
        const { body, headers } = await (authorization === undefined ? asked : asked.set({ authorization })).expect(
          200,
        );
        expect(body).toEqual(METADATA);
        expect(headers['content-type']).toMatch(/^application\/json\b/);
        expect(headers['cache-control']).toBe('public, max-age=3600');
      }
      await client.head(WELL_KNOWN).expect(200);
    });

    it('is answered with 404 for other methods and at other paths (RS-21)', async () => {
      const client = await served();
      const statuses = [];
      for (const method of ['post', 'put', 'patch', 'delete'] as const)
        statuses.push((await client[method](WELL_KNOWN)).status);
      for (const path of [`${WELL_KNOWN}/x`, `${WELL_KNOWN}x`, '/oauth-protected-resource', '/', '/read']) {
        statuses.push((await client.get(path)).status);
      }
      expect(new Set(statuses)).toEqual(new Set([404]));
    });

    it('appears in the report at the start, and leaves other routes closed (RS-20)', async () => {
      const client = await served();
      expect(lines.join('\n')).toContain('ProtectedResourceController.read (GET): @Public()');
      await client.get('/orders/forgotten').expect(403);
      const status = await client.get('/orders/status').expect(200);
      expect(status.body).toEqual({ data: { up: true } });
    });

    it('is named in each challenge (RFC 9728 section 5.1)', async () => {
      const client = await served();
      const bearer = (options: Parameters<typeof testAccessToken>[0]) =>
        `Bearer ${signIn(app, testAccessToken(options))}`;
      const challenge = async (path: string, authorization?: string): Promise<unknown> => {
        const asked = client.get(path);
        const answer = await (authorization === undefined ? asked : asked.set({ authorization }));
        return [answer.status, answer.headers['www-authenticate']];
      };
      const named = (status: number, rest = '') => [
        status,
        `Bearer realm="orders"${rest}, resource_metadata="${RESOURCE}${WELL_KNOWN}"`,
      ];
      expect(await challenge('/orders')).toEqual(named(401));
      expect(await challenge('/orders', 'Bearer junk')).toEqual(named(401, ', error="invalid_token"'));
      expect(await challenge('/orders', 'Bearer a b')).toEqual(named(400, ', error="invalid_request"'));
      expect(await challenge('/orders', bearer({}))).toEqual(
        named(403, ', error="insufficient_scope", scope="orders.read"'),
      );
      expect(await challenge('/orders/settled', bearer({ permissions: ['orders.read'] }))).toEqual(
        named(401, ', error="insufficient_user_authentication", acr_values="gold", max_age="60"'),
      );
      // A closed route sends no challenge of RFC 6750, because no token grants access.
      expect(await challenge('/orders/forgotten', bearer({}))).toEqual([403, undefined]);
    });

    it('keeps its path despite a global prefix and URL versions (RFC 9728 section 3)', async () => {
      const resource = 'https://api.example.com/shop/orders';
      const client = await served(resource, (application) => {
        application.setGlobalPrefix('api', { exclude: ['health'] });
        application.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' });
      });
      const { body } = await client.get(`${WELL_KNOWN}/shop/orders`).expect(200);
      expect(body).toEqual({ ...METADATA, resource });
      for (const path of [WELL_KNOWN, `/api${WELL_KNOWN}/shop/orders`, `/v2${WELL_KNOWN}/shop/orders`]) {
        await client.get(path).expect(404);
      }
      const { headers } = await client.get('/api/v2/orders').expect(401);
      expect(headers['www-authenticate']).toContain(
        'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/shop/orders"',
      );
    });

    it('is in the OpenAPI document of the application, under its own path (RS-25)', async () => {
      await served(RESOURCE, (application) => application.setGlobalPrefix('api'));
      const document = addKeycloakSecurity(app, SwaggerModule.createDocument(app, new DocumentBuilder().build()));
      expect(Object.keys(document.paths)).toContain(WELL_KNOWN);
      expect(document.paths[WELL_KNOWN]?.get?.security).toEqual([]);
      const before = SwaggerModule.createDocument(app, new DocumentBuilder().build());
      expect(Object.keys(before.paths)).toContain('/api/orders');
    });

    it('includes the configured name and documentation URL', async () => {
      const protectedResource = {
        resource: `${RESOURCE}/`,
        resourceName: 'Orders',
        resourceDocumentation: 'https://example.com/docs?page=orders#start',
      };
      const client = await make({ protectedResource });
      expect((await client.get(WELL_KNOWN).expect(200)).body).toEqual({
        ...METADATA,
        resource: `${RESOURCE}/`,
        resource_name: 'Orders',
        resource_documentation: 'https://example.com/docs?page=orders#start',
      });
    });

    it('names no scopes if mapPermissions replaces the scopes', async () => {
      const client = await make({ protectedResource: { resource: RESOURCE }, mapPermissions: () => [] });
      expect((await client.get(WELL_KNOWN).expect(200)).body).not.toHaveProperty('scopes_supported');
    });
  });

  it('has the options of its application if several applications share the module', async () => {
    let options: KeycloakModuleOptions;
    const module = KeycloakModule.forRootAsync({ useFactory: () => options });
    const statuses = async (resource?: string): Promise<number[]> => {
      options = { ...KEYCLOAK, ...(resource === undefined ? {} : { protectedResource: { resource } }) };
      const client = await start({ module, adapter });
      const answers = [await client.get(WELL_KNOWN), await client.get(`${WELL_KNOWN}/shop`)];
      await app.close();
      return answers.map(({ status }) => status);
    };
    expect(await statuses(RESOURCE)).toEqual([200, 404]);
    expect(await statuses()).toEqual([404, 404]);
    expect(await statuses(`${RESOURCE}/shop`)).toEqual([404, 200]);
  });
});
