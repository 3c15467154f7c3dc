import { Body, Controller, Delete, Get, Inject, Module, Param, Post, type INestApplication } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  Caller,
  Authenticated,
  InjectServiceClient,
  KeycloakModule,
  KeycloakStatus,
  ServiceCallError,
  ServiceClient,
  VerifiedAccessToken,
} from '../../index.js';
import { testAccessToken, type TestAccessTokenOptions } from '../test-access-token.js';
import { signIn, signOut, testServices } from './application-under-test.js';
import { KeycloakTestingModule } from './keycloak-testing.module.js';

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

interface Stock {
  readonly left: number;
}

class StockClient {
  constructor(
    @InjectServiceClient('inventory') private readonly inventory: ServiceClient,
    @InjectServiceClient('audit') private readonly audit: ServiceClient,
  ) {}

  left(caller: VerifiedAccessToken, sku: string): Promise<Stock> {
    return this.inventory.onBehalfOf(caller, 'stock.read').get(`/stock/${sku}?unit=piece`);
  }

  adjust(sku: string, by: number): Promise<Stock> {
    return this.inventory.asService('stock.adjust').post(`/stock/${sku}`, { by });
  }

  record(event: string): Promise<unknown> {
    return this.audit.asService('audit.write').put('/events/1', { event }, { headers: { 'Idempotency-Key': 'k' } });
  }
}

@Controller()
@Authenticated()
class OrdersController {
  constructor(@Inject(StockClient) private readonly stock: StockClient) {}

  @Get('left/:sku')
  left(@Caller() caller: VerifiedAccessToken, @Param('sku') sku: string): Promise<Stock> {
    return this.stock.left(caller, sku);
  }

  @Post('left/:sku')
  adjust(@Param('sku') sku: string, @Body() { by }: { by: number }): Promise<Stock> {
    return this.stock.adjust(sku, by);
  }

  @Delete('left/:sku')
  async remove(): Promise<void> {
    await this.stock.record('removed');
  }
}

@Module({
  imports: [
    KeycloakModule.forRoot({
      issuer: 'https://sso.example.com/realms/shop',
      clientId: 'orders',
      clientSecret: 'a secret',
      exposeRefusalReasons: true,
    }),
    KeycloakModule.forFeature([
      { name: 'inventory', baseUrl: 'https://inventory.internal/v2/', audience: 'inventory-api' },
      { name: 'audit', useFactory: () => ({ baseUrl: 'https://audit.internal', audience: 'audit' }) },
    ]),
  ],
  controllers: [OrdersController],
  providers: [StockClient],
})
class AppModule {}

describe.each<[string, () => AbstractHttpAdapter]>([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('the services that an application on %s calls', (name, adapter) => {
  let app: INestApplication;

  beforeEach(async () => {
    const builder = Test.createTestingModule({ imports: [AppModule] }).setLogger(SILENT);
    app = (await KeycloakTestingModule.override(builder).compile()).createNestApplication(adapter());
    await app.init();
    if (name === 'Fastify') await (app as NestFastifyApplication).getHttpAdapter().getInstance().ready();
  });
  afterEach(() => app.close());

  const as = (options: TestAccessTokenOptions = {}): string => signIn(app, testAccessToken(options));
  const read = (path: string, bearer = as()): request.Test =>
    request(app.getHttpServer()).get(path).auth(bearer, { type: 'bearer' });

  it('return the answers that the test has registered, and record each call', async () => {
    const services = testServices(app);
    services.on('inventory', 'GET', '/stock/1').reply(200, { left: 3 });
    services.on('inventory', 'POST', /^\/stock\/\d+$/).reply(({ body }) => ({ status: 201, body: { left: body } }));
    services.on('audit', 'PUT', '/events/1').reply(204);
    const alice = as({ subject: 'alice' });

    await read('/left/1', alice).expect(200, { left: 3 });
    const http = request(app.getHttpServer());
    await http
      .post('/left/7')
      .auth(alice, { type: 'bearer' })
      .send({ by: 2 })
      .expect(201, { left: { by: 2 } });
    await http.delete('/left/7').auth(alice, { type: 'bearer' }).expect(200);

    const self = {
      grant: 'client_credentials',
      subject: 'service-account-orders',
      client: 'orders',
      audience: undefined,
    };
    expect(services.calls).toMatchObject([
      {
        service: 'inventory',
        method: 'GET',
        path: '/stock/1?unit=piece',
        body: undefined,
        grant: 'token_exchange',
        subject: 'alice',
        client: 'orders',
        audience: 'inventory-api',
        scope: 'stock.read',
      },
      { service: 'inventory', method: 'POST', path: '/stock/7', body: { by: 2 }, scope: 'stock.adjust', ...self },
      { service: 'audit', method: 'PUT', path: '/events/1', body: { event: 'removed' }, scope: 'audit.write', ...self },
    ]);
    expect(services.calls[2]?.headers).toMatchObject({ 'idempotency-key': 'k', 'content-type': 'application/json' });
    expect(services.calls[2]?.headers).not.toHaveProperty('authorization');
    expect(services.unexpected).toEqual([]);
  });

  it('receive a separate token for each caller', async () => {
    testServices(app).on('inventory', 'GET', '/stock/1').reply(200, {});
    const [alice, bob] = [as({ subject: 'alice' }), as({ subject: 'bob' })];
    for (const bearer of [alice, bob, alice]) await read('/left/1', bearer).expect(200);
    expect(testServices(app).calls.map(({ subject }) => subject)).toEqual(['alice', 'bob', 'alice']);
  });

  it('are called once more with a new token after a 401', async () => {
    const challenge = { 'WWW-Authenticate': 'Bearer error="invalid_token"' };
    testServices(app).on('inventory', 'GET', '/stock/1').reply(401, undefined, challenge).reply(200, { left: 1 });
    await read('/left/1').expect(200, { left: 1 });
    expect(testServices(app).calls).toHaveLength(2);

    testServices(app).on('inventory', 'GET', '/stock/2').reply(401, undefined, challenge);
    const { body } = await read('/left/2').expect(502);
    expect(body).toMatchObject({ code: 'service_refused' });
    expect(testServices(app).calls).toHaveLength(4);
  });

  it.each([
    ['answer 403', 403, 403, { code: 'insufficient_scope', permission: 'stock.secret' }],
    ['answer 500', 500, 502, { code: 'service_failed' }],
    ['answer 404', 404, 502, { code: 'service_failed' }],
    ['answer 302', 302, 502, { code: 'service_failed' }],
  ])('cause the matching refusal if they %s', async (_, status, expected, refusal) => {
    const answer = { code: 'no', permission: 'stock.secret' };
    testServices(app).on('inventory', 'GET', '/stock/1').reply(status, answer, { location: 'https://elsewhere.test' });
    const { body } = await read('/left/1').expect(expected);
    expect(body).toMatchObject(refusal);
  });

  it.each([
    ['refused', 503, 'service_unavailable', 1],
    // The call is safe to repeat, so the application sends the call twice.
    ['reset', 503, 'service_unavailable', 2],
    ['timeout', 504, 'service_timeout', 1],
  ] as const)('cause a refusal if they are unreachable (%s)', async (fault, status, code, calls) => {
    testServices(app).on('inventory', 'GET', '/stock/1').fail(fault);
    const { body } = await read('/left/1').expect(status);
    expect(body).toMatchObject({ code });
    expect(testServices(app).calls).toHaveLength(calls);
  });

  it('receive a call again after they have reset a kept-alive connection', async () => {
    testServices(app).on('inventory', 'GET', '/stock/1').fail('reset').reply(200, { left: 5 });
    expect((await read('/left/1').expect(200)).body).toEqual({ left: 5 });
  });

  it('fail a call without a registered answer, with an error that names the missing registration', async () => {
    testServices(app).on('inventory', 'GET', '/stock/1').reply(200, {});
    testServices(app).on('audit', 'PUT', '/events/1').reply(204);
    expect((await read('/left/2').expect(503)).body).toMatchObject({ reason: 'connection_failed' });
    expect(testServices(app).unexpected).toMatchObject([{ service: 'inventory', path: '/stock/2?unit=piece' }]);
    const failure: unknown = await app
      .get(StockClient)
      .adjust('1', 1)
      .catch((error: unknown) => error);
    const missing =
      'No answer is registered for POST /stock/1 at service "inventory", only for: GET /stock/1. ' +
      "Add testServices(app).on('inventory', 'POST', '/stock/1').reply(…)";
    expect(failure).toMatchObject({ stack: expect.stringContaining(missing), fields: { detail: missing } });
    expect(testServices(app).unexpected).toHaveLength(2);
  });

  it('report the reason if a route has no answer or its reply function throws', async () => {
    testServices(app).on('inventory', 'POST', '/stock/1');
    testServices(app)
      .on('inventory', 'POST', '/stock/2')
      .reply(() => {
        throw new Error('no such fixture');
      });
    await expect(app.get(StockClient).adjust('1', 1)).rejects.toMatchObject({
      stack: expect.stringContaining('neither reply() nor fail()'),
    });
    await expect(app.get(StockClient).adjust('2', 1)).rejects.toMatchObject({
      stack: expect.stringContaining('no such fixture'),
    });
  });

  it('answer calls to a path that must be percent-encoded', async () => {
    testServices(app).on('inventory', 'GET', '/stock/blue ink ü').reply(200, { left: 3 });
    await read(`/left/${encodeURIComponent('blue ink ü')}`).expect(200, { left: 3 });
    expect(testServices(app).calls).toMatchObject([{ path: '/stock/blue%20ink%20%C3%BC?unit=piece' }]);
  });

  it.each(['1%2f..%2f..%2fadmin', '..', '%2e%2e', '..\\admin', 'a#b', 'a\r\nb'])(
    'receive no call and cause no token request if a parser or proxy could change the path: %j (CC-10)',
    async (sku) => {
      testServices(app).on('inventory', 'POST', /^/).reply(200, { left: 3 });
      await expect(app.get(StockClient).adjust(sku, 1)).rejects.toThrow(TypeError);
      expect(testServices(app).calls).toEqual([]);
      expect(app.get(KeycloakStatus).read().caches.tokens).toBe(0);
      expect(() => testServices(app).on('inventory', 'POST', `/stock/${sku}`)).toThrow(TypeError);
    },
  );

  it('accept only a known service, a valid path and a valid status', () => {
    expect(() => testServices(app).on('inventroy', 'GET', '/stock/1')).toThrow(
      'This application has no service "inventroy". It has: "inventory", "audit"',
    );
    expect(() => testServices(app).on('inventory', 'GET', 'stock/1')).toThrow(TypeError);
    expect(() => testServices(app).on('inventory', 'GET', '/stock/1').reply(0)).toThrow(TypeError);
    expect(() => testServices(app).on('inventory', 'GET', '/stock/1').reply(99.5)).toThrow(TypeError);
  });

  it('use the last matching registration of an answer until reset()', async () => {
    testServices(app).on('inventory', 'GET', '/stock/1').reply(200, { left: 1 });
    testServices(app).on('inventory', 'GET', '/stock/1').reply(200, { left: 2 });
    testServices(app).on('inventory', 'GET', '/stock/1?unit=box').reply(200, { left: 3 });
    await read('/left/1').expect(200, { left: 2 });
    testServices(app).reset();
    expect(testServices(app).calls).toEqual([]);
    await read('/left/1').expect(503);
  });

  it('are not called if the caller lacks the permission or its token has expired', async () => {
    testServices(app).on('inventory', 'GET', '/stock/1').reply(200, {});
    const { body } = await read('/left/1', as({ grantableScopes: [] })).expect(403);
    expect(body).toMatchObject({ code: 'insufficient_scope', permission: 'stock.read' });
    const ended = as();
    await read('/left/1', ended).expect(200);
    signOut(app, ended);
    const before = testServices(app).calls.length;
    testServices(app).reset();
    expect(before).toBe(1);
    await read('/left/1', as({ expiresInSeconds: -60 })).expect(401);
    expect(testServices(app).calls).toEqual([]);
  });

  it('reject a direct call from a test with the same error as in production', async () => {
    testServices(app).on('inventory', 'POST', '/stock/1').reply(500, { code: 'broken' });
    const failure: unknown = await app
      .get(StockClient)
      .adjust('1', 1)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ServiceCallError);
    expect(failure).toMatchObject({ code: 'service_failed', service: 'inventory', status: 500 });
  });
});
