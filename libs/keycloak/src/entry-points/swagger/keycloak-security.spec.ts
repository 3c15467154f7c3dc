import { isDeepStrictEqual } from 'node:util';
import {
  All,
  Controller,
  Get,
  Module,
  Post,
  Version,
  VersioningType,
  type INestApplication,
  type ModuleMetadata,
  type Type,
} from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  ApiBearerAuth,
  ApiExcludeController,
  ApiExcludeEndpoint,
  ApiForbiddenResponse,
  DocumentBuilder,
  SwaggerModule,
  type OpenAPIObject,
  type SwaggerDocumentOptions,
} from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import request from 'supertest';
import {
  AllowClients,
  Authenticated,
  MaxIntrospectionAge,
  OptionalToken,
  Public,
  RequireAnyPermission,
  RequireStepUp,
  RequirePermission,
  type KeycloakModuleOptions,
} from '../../index.js';
import { KeycloakTestingModule, testAuthorizationServer } from '../../testing/index.js';
import { bearerOf, REFUSED_CALLERS } from '../../../spec-support/refusal-table.js';
import { addKeycloakSecurity } from './index.js';

@Controller('orders')
class OrdersController {
  @Get(':id')
  @RequirePermission('orders.read')
  @AllowClients('shop')
  find(): string {
    return 'order';
  }

  @Post()
  @RequirePermission('orders.write', 'orders.read')
  @MaxIntrospectionAge({ seconds: 0 })
  create(): string {
    return 'created';
  }

  @Get(['mine', 'own'])
  @Authenticated()
  mine(): string {
    return 'mine';
  }

  @Get('status')
  @Public()
  status(): string {
    return 'up';
  }

  @Get('offers')
  @OptionalToken()
  @RequirePermission('offers.read')
  offers(): string {
    return 'offers';
  }

  @Get('reports')
  @RequirePermission('reports.read')
  @RequireAnyPermission('sales', 'audit')
  reports(): string {
    return 'reports';
  }

  @Get('forgotten')
  forgotten(): string {
    return 'forgotten';
  }
}

@Controller('anything')
class AnythingController {
  @All()
  @Authenticated()
  anything(): string {
    return 'anything';
  }
}

type Adapter = () => ExpressAdapter | FastifyAdapter;

let app: INestApplication;
afterEach(() => app.close());

type Made = Partial<KeycloakModuleOptions> & {
  readonly controllers?: Type[];
  readonly modules?: NonNullable<ModuleMetadata['imports']>;
  readonly adapter?: Adapter;
};

async function make({ controllers = [], modules = [], adapter, ...options }: Made): Promise<INestApplication> {
  const imports = [KeycloakTestingModule.forRoot(options), ...modules];
  const module = await Test.createTestingModule({ imports, controllers })
    .setLogger({ log() {}, warn() {}, error() {} })
    .compile();
  app = module.createNestApplication((adapter?.() ?? new FastifyAdapter()) as FastifyAdapter);
  return app;
}

interface Said {
  readonly operationId: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly responses: Readonly<Record<string, SaidResponse>>;
}

interface SaidResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly required: boolean; readonly examples: Examples }>>;
  readonly content?: Readonly<Record<string, { readonly examples: Examples }>>;
}

type Examples = Readonly<Record<string, { readonly value: unknown }>>;

const configOf = (version: '3.0.0' | '3.1.0') => new DocumentBuilder().setOpenAPIVersion(version).setTitle('t').build();

function documentOf(options: SwaggerDocumentOptions = {}, version: '3.0.0' | '3.1.0' = '3.1.0'): OpenAPIObject {
  return addKeycloakSecurity(app, SwaggerModule.createDocument(app, configOf(version), options), { document: options });
}

const operation = (document: OpenAPIObject, method: string, path: string): Said =>
  (document.paths[path] as Readonly<Record<string, unknown>> | undefined)?.[method] as Said;

const demands = (document: OpenAPIObject): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item as Readonly<Record<string, Said>>).map(([method, { security = [] }]) => [
        `${method} ${path}`,
        security.flatMap((one) => one['keycloak']?.join(' ') ?? []).join(' | '),
      ]),
    ),
  );

const scopes = (...names: string[]) => [{ keycloak: names }, { bearer: names }];

describe.each<[string, Adapter]>([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('addKeycloakSecurity on %s', (_, adapter) => {
  it('documents the requirements of the decorators of each route (RS-25)', async () => {
    await make({ controllers: [OrdersController, AnythingController], adapter });
    const document = documentOf();
    const said = (method: string, path: string) => operation(document, method, path).security;
    expect(said('get', '/orders/{id}')).toEqual(scopes('orders.read'));
    expect(said('post', '/orders')).toEqual(scopes('orders.write', 'orders.read'));
    expect(said('get', '/orders/mine')).toEqual(scopes());
    expect(said('get', '/orders/own')).toEqual(scopes());
    expect(said('get', '/orders/status')).toEqual([]);
    expect(said('get', '/orders/offers')).toEqual([...scopes('offers.read'), {}]);
    expect(said('get', '/orders/reports')).toEqual([
      { keycloak: ['reports.read', 'sales'] },
      { keycloak: ['reports.read', 'audit'] },
      { bearer: ['reports.read', 'sales'] },
      { bearer: ['reports.read', 'audit'] },
    ]);
    for (const method of ['get', 'post', 'put', 'delete', 'patch', 'options', 'head']) {
      expect(said(method, '/anything')).toEqual(scopes());
    }
    const closed = operation(document, 'get', '/orders/forgotten');
    expect(closed.security).toEqual(scopes());
    expect(closed.responses['403']?.description).toBe('Route closed');
    expect(closed.responses['401']).toBeUndefined();
  });

  it.each(REFUSED_CALLERS)('documents the refusal of $name', async ({ authorization, status }) => {
    await make({ controllers: [OrdersController], adapter });
    await app.listen(0, '127.0.0.1');
    const said = operation(documentOf(), 'get', '/orders/{id}').responses[String(status)];
    const asked = request(app.getHttpServer() as never).get('/orders/7');
    const bearer = authorization(app);
    const answer = await (bearer === undefined ? asked : asked.set('Authorization', bearer));
    expect(answer.status).toBe(status);
    expectSaid(said, answer);
  });

  it('documents the refusal if Keycloak is unreachable', async () => {
    await make({ controllers: [OrdersController], adapter, maxRetries: 0 });
    await app.listen(0, '127.0.0.1');
    const bearer = bearerOf(app);
    testAuthorizationServer(app).fail('refused');
    const answer = await request(app.getHttpServer() as never)
      .get('/orders/7')
      .set('Authorization', bearer);
    expect(answer.status).toBe(503);
    expectSaid(operation(documentOf(), 'get', '/orders/{id}').responses['503'], answer);
  });
});

function expectSaid(said: SaidResponse | undefined, { body, headers }: request.Response): void {
  const { examples = {} } = said?.content?.['application/json'] ?? {};
  const [name] = Object.entries(examples).find(([, { value }]) => isDeepStrictEqual(value, body)) ?? [];
  expect([name, body]).toEqual([expect.any(String), body]);
  for (const header of ['WWW-Authenticate', 'Retry-After']) {
    expect(headers[header.toLowerCase()]).toEqual(said?.headers?.[header]?.examples[name ?? '']?.value);
  }
}

describe('addKeycloakSecurity responses', () => {
  it('adds the refusals of the guard to the responses of an operation', async () => {
    await make({ controllers: [OrdersController] });
    const document = documentOf();
    const statuses = (path: string): string[] => Object.keys(operation(document, 'get', path).responses);
    expect(statuses('/orders/{id}')).toEqual(['200', '400', '401', '403', '502', '503']);
    expect(statuses('/orders/mine')).toEqual(['200', '400', '401', '502', '503']);
    expect(statuses('/orders/status')).toEqual(['200']);
    expect(statuses('/orders/forgotten')).toEqual(['200', '403']);
    const { description, headers, content } = operation(document, 'get', '/orders/{id}').responses[
      '403'
    ] as SaidResponse;
    expect(description).toBe('Insufficient permission; Client not allowed: only shop');
    expect(headers?.['WWW-Authenticate']).toMatchObject({
      required: false,
      examples: {
        'insufficient_scope.orders.read': {
          value: 'Bearer realm="test-service", error="insufficient_scope", scope="orders.read"',
        },
      },
    });
    expect(content?.['application/json']?.examples['client_not_allowed']).toEqual({
      value: { error: 'Client not allowed', code: 'client_not_allowed' },
    });
  });

  it('documents the required login (RS-11)', async () => {
    @Controller('vault')
    class Vault {
      @Get()
      @RequireStepUp({ acr: ['gold', 'silver'], maxAgeSeconds: 300 })
      open(): string {
        return 'open';
      }
    }
    await make({ controllers: [Vault] });
    const document = documentOf();
    const { security, responses } = operation(document, 'get', '/vault');
    expect(security).toEqual(scopes());
    expect(responses['401']?.description).toBe(
      'Missing token; Invalid token; Stronger or more recent login needed: acr gold or silver, at most 300 s ago',
    );
    const name = 'insufficient_user_authentication';
    expect(responses['401']?.content?.['application/json']?.examples[name]).toEqual({
      value: {
        error: 'Stronger or more recent login needed',
        code: name,
        acrValues: ['gold', 'silver'],
        maxAgeSeconds: 300,
      },
    });
    expect(responses['401']?.headers?.['WWW-Authenticate']?.examples[name]?.value).toBe(
      'Bearer realm="test-service", error="insufficient_user_authentication", acr_values="gold silver", max_age="300"',
    );
    expect(document.components?.schemas?.['KeycloakRefusal']).toMatchObject({
      properties: { acrValues: { type: 'array' }, maxAgeSeconds: { type: 'integer' } },
    });
  });

  it('documents the refusal reason only if exposeRefusalReasons is set', async () => {
    await make({ controllers: [OrdersController] });
    expect(JSON.stringify(documentOf())).not.toContain('reason');
    await app.close();
    await make({ controllers: [OrdersController], exposeRefusalReasons: true });
    expect(operation(documentOf(), 'get', '/orders/mine').responses['401']?.content).toMatchObject({
      'application/json': { examples: { missing_token: { value: { reason: 'no_credentials' } } } },
    });
  });

  it('keeps the responses that the application documents, and replaces the security requirements that it documents', async () => {
    @Controller('orders')
    class Annotated {
      @Get()
      @Authenticated()
      @ApiForbiddenResponse({ description: 'Not on Sundays' })
      @ApiBearerAuth()
      list(): string {
        return 'orders';
      }

      @Get('status')
      @Public()
      @ApiBearerAuth()
      status(): string {
        return 'up';
      }
    }
    await make({ controllers: [Annotated] });
    const document = documentOf();
    expect(operation(document, 'get', '/orders').responses['403']?.description).toBe('Not on Sundays');
    expect(operation(document, 'get', '/orders').security).toEqual(scopes());
    expect(operation(document, 'get', '/orders/status').security).toEqual([]);
  });
});

describe('addKeycloakSecurity schemes', () => {
  it('adds a bearer scheme and an OAuth 2.0 scheme with all required scopes', async () => {
    await make({ controllers: [OrdersController], issuer: 'https://sso.example.com/realms/shop' });
    expect(documentOf().components?.securitySchemes).toMatchObject({
      keycloak: {
        type: 'oauth2',
        flows: {
          clientCredentials: {
            tokenUrl: 'https://sso.example.com/realms/shop/protocol/openid-connect/token',
            scopes: {
              'orders.read': 'Demanded by GET /orders/{id}, POST /orders',
              sales: 'Demanded by GET /orders/reports',
            },
          },
        },
      },
      bearer: { type: 'http', scheme: 'bearer' },
    });
  });

  it('keeps a scheme that the document already has', async () => {
    await make({ controllers: [OrdersController] });
    const own = {
      type: 'oauth2',
      flows: { password: { tokenUrl: 'https://sso.example.com/token', scopes: {} } },
    } as const;
    const config = new DocumentBuilder().addOAuth2(own, 'keycloak').build();
    const { components } = addKeycloakSecurity(app, SwaggerModule.createDocument(app, config));
    expect(components?.securitySchemes?.['keycloak']).toEqual(own);
  });

  it('documents no scopes if the application has mapPermissions', async () => {
    await make({ controllers: [OrdersController], mapPermissions: () => [] });
    const document = documentOf();
    expect(operation(document, 'get', '/orders/{id}').security).toEqual(scopes());
    const refusals = JSON.stringify(operation(document, 'get', '/orders/{id}').responses['403']);
    expect(refusals).toContain('"permission":"orders.read"');
    expect(refusals).not.toContain('scope=');
  });

  it('adds an example for each permission, even if the permission contains special characters', async () => {
    @Controller('staff')
    class Staff {
      @Get()
      @RequirePermission('管理者', '閲覧者')
      list(): string {
        return 'all';
      }
    }
    await make({ controllers: [Staff], mapPermissions: () => [] });
    const { content } = operation(documentOf(), 'get', '/staff').responses['403'] ?? {};
    const examples = Object.values(content?.['application/json']?.examples ?? {});
    expect(examples.map(({ value }) => (value as { permission: string }).permission)).toEqual(['管理者', '閲覧者']);
  });

  it.each(['3.0.0', '3.1.0'] as const)('creates a valid document for OpenAPI %s', async (version) => {
    await make({ controllers: [OrdersController] });
    const document = documentOf({}, version);
    expect(await new Validator().validate(structuredClone(document) as never)).toMatchObject({ valid: true });
    const { security = [] } = operation(document, 'get', '/orders/{id}');
    expect(security.at(-1)).toEqual({ bearer: version === '3.0.0' ? [] : ['orders.read'] });
  });
});

describe('addKeycloakSecurity routes', () => {
  abstract class Base {
    @Get()
    @RequirePermission('orders.read')
    list(): string {
      return 'orders';
    }
  }

  it('documents an inherited handler once for each derived controller', async () => {
    @Controller('closed')
    class Closed extends Base {}
    @Controller('open')
    @Authenticated()
    class Open extends Base {}
    @Controller('narrower')
    @RequirePermission('orders.audit')
    class Narrower extends Base {}
    await make({ controllers: [Closed, Open, Narrower] });
    const document = documentOf();
    expect(demands(document)).toEqual({
      'get /closed': '',
      'get /open': 'orders.read',
      'get /narrower': 'orders.audit orders.read',
    });
    expect(Object.keys(operation(document, 'get', '/closed').responses)).toEqual(['200', '403']);
  });

  const orders = (path: string, permission: string): Type => {
    @Controller(path)
    class Orders {
      @Get()
      @RequirePermission(permission)
      list(): string {
        return path;
      }
    }
    return Orders;
  };

  it('distinguishes classes with the same name by the paths of their modules', async () => {
    @Module({ controllers: [orders('orders', 'a')] })
    class ModuleA {}
    @Module({ controllers: [orders('orders', 'b')] })
    class ModuleB {}
    const routes = [
      { path: 'a', module: ModuleA },
      { path: 'b', module: ModuleB },
    ];
    await make({ modules: [ModuleA, ModuleB, RouterModule.register(routes)] });
    app.setGlobalPrefix('api');
    expect(demands(documentOf())).toEqual({ 'get /api/a/orders': 'a', 'get /api/b/orders': 'b' });
    expect(demands(documentOf({ ignoreGlobalPrefix: true }))).toEqual({ 'get /a/orders': 'a', 'get /b/orders': 'b' });
    expect(demands(documentOf({ include: [ModuleB] }))).toEqual({ 'get /api/b/orders': 'b' });
  });

  @Controller('orders')
  class Versions {
    @Get()
    @Version('1')
    @RequirePermission('one')
    first(): string {
      return 'first';
    }

    @Get()
    @Version(['2', '3'])
    @RequirePermission('two')
    second(): string {
      return 'second';
    }
  }

  it('documents the path of each version', async () => {
    await make({ controllers: [Versions] });
    app.enableVersioning({ type: VersioningType.URI });
    expect(demands(documentOf())).toEqual({
      'get /v1/orders': 'one',
      'get /v2/orders': 'two',
      'get /v3/orders': 'two',
    });
  });

  it('accepts several header versions of one path only if their requirements are equal', async () => {
    @Controller({ path: 'orders', version: '1' })
    class First extends Base {}
    Authenticated()(First);
    @Controller({ path: 'orders', version: '2' })
    class Second extends First {}
    Authenticated()(Second);
    await make({ controllers: [First, Second] });
    app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' });
    expect(demands(documentOf())).toEqual({ 'get /orders': 'orders.read' });
    await app.close();
    await make({ controllers: [Versions] });
    app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' });
    expect(() => documentOf()).toThrow(
      'GET /orders is the operation of Versions.first (GET) and of Versions.second (GET), whose routes have different demands',
    );
  });

  it('skips a route that is excluded, and all routes of an excluded controller', async () => {
    class Excluding extends orders('orders', 'a') {
      @Get('secret')
      @Public()
      @ApiExcludeEndpoint()
      secret(): string {
        return 'secret';
      }
    }
    Controller('orders')(Excluding);
    Authenticated()(Excluding);
    const left = orders('left', 'b');
    ApiExcludeController()(left);
    await make({ controllers: [Excluding, left] });
    expect(demands(documentOf())).toEqual({ 'get /orders': 'a' });
  });

  it('does not change the metadata of excluded routes', async () => {
    const left = orders('left', 'b');
    ApiExcludeController()(left);
    await make({ controllers: [OrdersController, left] });
    const before = SwaggerModule.createDocument(app, configOf('3.1.0'));
    documentOf();
    expect(SwaggerModule.createDocument(app, configOf('3.1.0'))).toEqual(before);
    expect(Reflect.getOwnMetadataKeys(OrdersController.prototype.find).map(String).join()).not.toContain('xclude');
  });
});

describe('addKeycloakSecurity errors', () => {
  it('throws if a route is not in the document', async () => {
    await make({ controllers: [OrdersController] });
    const document = SwaggerModule.createDocument(app, configOf('3.1.0'));
    delete document.paths['/orders/status'];
    expect(() => addKeycloakSecurity(app, document)).toThrow(
      'OrdersController.status (GET) is not in the document, which has no GET /orders/status',
    );
  });

  it('throws if the document was created with other options', async () => {
    await make({ controllers: [OrdersController] });
    app.setGlobalPrefix('api');
    const document = SwaggerModule.createDocument(app, configOf('3.1.0'), { ignoreGlobalPrefix: true });
    expect(() => addKeycloakSecurity(app, document)).toThrow('which has no GET /api/orders/{id}');
  });

  it('throws if an operation without a route declares no security', async () => {
    await make({ controllers: [OrdersController] });
    const document = SwaggerModule.createDocument(app, configOf('3.1.0'));
    document.paths['/other'] = { get: { responses: {}, security: [] } };
    addKeycloakSecurity(app, document);
    document.paths['/another'] = { get: { responses: {} } };
    expect(() => addKeycloakSecurity(app, document)).toThrow('GET /another is in the document without security');
  });

  it('throws if the permissions of a route have too many alternatives', async () => {
    const some = (name: string) => RequireAnyPermission(`${name}1`, `${name}2`, `${name}3`, `${name}4`);
    @Controller('many')
    class Many {
      @Get()
      @some('a')
      @some('b')
      @some('c')
      @some('d')
      many(): string {
        return 'many';
      }
    }
    await make({ controllers: [Many] });
    expect(() => documentOf()).toThrow('Many.many (GET): the @RequireAnyPermission() decorators have 256 alternatives');
  });

  it('throws if decorators contradict each other', async () => {
    @Controller('contradicting')
    class Contradicting {
      @Get()
      @Public()
      @RequirePermission('a')
      both(): string {
        return 'both';
      }
    }
    await make({ controllers: [Contradicting] });
    expect(() => documentOf()).toThrow('@Public() verifies no token');
  });

  it('throws if the application has no KeycloakModule', async () => {
    app = (await Test.createTestingModule({}).compile()).createNestApplication(new FastifyAdapter());
    expect(() => documentOf()).toThrow('KeycloakModule.forRoot()');
  });
});
