import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Controller, Get, Next, Scope, type INestApplication, type Type } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  Caller,
  AllowClients,
  Authenticated,
  KeycloakGuard,
  MaxIntrospectionAge,
  OptionalToken,
  Public,
  RequirePermission,
  type RouteDecorator,
  type VerifiedAccessToken,
} from '../index.js';
import { INTROSPECTION_CHANNEL } from '../entry-points/diagnostics/index.js';
import { KeycloakTestingModule, signIn, testAccessToken } from '../testing/index.js';

const FORGOTTEN = /Import KeycloakModule\.forRoot in the root module.*npm ls nestjs-keycloak-s2s/;
const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

const ADAPTERS: readonly (readonly [string, () => AbstractHttpAdapter])[] = [
  ['Fastify', () => new FastifyAdapter()],
  ['Express', () => new ExpressAdapter()],
];

const DECORATORS: readonly (readonly [string, RouteDecorator])[] = [
  ['@Public', Public()],
  ['@OptionalToken', OptionalToken()],
  ['@Authenticated', Authenticated()],
  ['@RequirePermission', RequirePermission('orders.read')],
  ['@AllowClients', AllowClients('service-a')],
  ['@MaxIntrospectionAge', MaxIntrospectionAge({ seconds: 0 })],
];

const apps: INestApplication[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function applicationOf(
  controllers: Type[],
  adapter: () => AbstractHttpAdapter,
  imports: Parameters<typeof Test.createTestingModule>[0]['imports'] = [],
) {
  const module = await Test.createTestingModule({ controllers, imports }).setLogger(SILENT).compile();
  const app = module.createNestApplication(adapter());
  apps.push(app);
  return app;
}

function controllerWith(ofClass: readonly RouteDecorator[], ofHandler: readonly RouteDecorator[]): Type {
  class Orders {
    calls = 0;
    read(): string {
      this.calls += 1;
      return 'orders';
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Orders.prototype, 'read') as PropertyDescriptor;
  Get('orders')(Orders.prototype, 'read', descriptor);
  for (const decorate of ofHandler) decorate(Orders.prototype, 'read', descriptor);
  Controller()(Orders);
  for (const decorate of ofClass) decorate(Orders);
  return Orders;
}

describe.each(ADAPTERS)('an application on %s without KeycloakModule', (_, adapter) => {
  describe.each(DECORATORS)('an application with %s', (__, decorator) => {
    it.each([
      ['class', controllerWith([decorator], [])],
      ['route', controllerWith([], [decorator])],
    ])('does not start if the decorator is on a %s (RS-20)', async (___, controller) => {
      const app = await applicationOf([controller], adapter);
      await expect(app.init()).rejects.toThrow(FORGOTTEN);
    });
  });

  it('runs no handler, even if the code that calls app.init() ignores the error (RS-20)', async () => {
    const controller = controllerWith([], [Public()]);
    const app = await applicationOf([controller], adapter);
    // Nest has registered the routes before `app.init()` fails.
    await app.init().catch(() => undefined);
    await (app.getHttpAdapter().getInstance() as { ready?: () => Promise<void> }).ready?.();
    await request(app.getHttpServer()).get('/orders').expect(500);
    expect(app.get<{ calls: number }>(controller).calls).toBe(0);
  });

  it('lets a unit test call a method of a controller directly', async () => {
    const controller = controllerWith([Authenticated()], [RequirePermission('orders.read')]);
    const app = await applicationOf([controller], adapter);
    expect(app.get<{ read: () => string }>(controller).read()).toBe('orders');
  });

  it('starts if no controller has access decorators', async () => {
    const app = await applicationOf([controllerWith([], [])], adapter);
    await app.init();
    await (app.getHttpAdapter().getInstance() as { ready?: () => Promise<void> }).ready?.();
    await request(app.getHttpServer()).get('/orders').expect(200);
  });
});

it('an application with a request-scoped KeycloakGuard does not start, because Nest 11.0 skips the guard (RS-20)', async () => {
  const guard = { provide: KeycloakGuard, scope: Scope.REQUEST, useFactory: () => ({}) };
  const controllers = [controllerWith([], [Public()])];
  const module = await Test.createTestingModule({ providers: [guard], controllers }).compile();
  await expect(module.createNestApplication(new ExpressAdapter()).init()).rejects.toThrow(
    /^The options of KeycloakModule\.forRootAsync depend on a request-scoped provider/,
  );
});

describe('an application whose guard was replaced by a permissive guard', () => {
  it('runs no handler that has an access decorator (RS-20)', async () => {
    const controller = controllerWith([], [RequirePermission('orders.read')]);
    const module = await Test.createTestingModule({
      imports: [KeycloakTestingModule.forRoot()],
      controllers: [controller],
    })
      .overrideProvider(KeycloakGuard)
      .useValue({ canActivate: () => true })
      .setLogger(SILENT)
      .compile();
    const app = module.createNestApplication(new ExpressAdapter());
    apps.push(app);
    await app.init();
    await request(app.getHttpServer()).get('/orders').expect(500);
    expect(app.get<{ calls: number }>(controller).calls).toBe(0);
  });
});

describe('a request that runs two handlers', () => {
  @Controller()
  class First {
    @Get('twice')
    @Authenticated()
    first(@Next() next: () => void): void {
      next();
    }
  }

  function secondWith(...decorators: RouteDecorator[]): Type {
    class Second {
      second(token: VerifiedAccessToken): object {
        return { subject: token.subject };
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Second.prototype, 'second') as PropertyDescriptor;
    Get('twice')(Second.prototype, 'second', descriptor);
    for (const decorate of decorators) decorate(Second.prototype, 'second', descriptor);
    Caller()(Second.prototype, 'second', 0);
    Controller()(Second);
    return Second;
  }

  let asked = 0;
  const count = (): void => {
    asked += 1;
  };
  beforeEach(() => {
    asked = 0;
    subscribe(INTROSPECTION_CHANNEL, count);
  });
  afterEach(() => {
    unsubscribe(INTROSPECTION_CHANNEL, count);
  });

  it.each<[string, RouteDecorator[], number, number]>([
    ['verifies its token once', [RequirePermission('orders.read')], 200, 1],
    [
      'is refused if its token lacks the permission of the second handler (RS-09)',
      [RequirePermission('orders.approve')],
      403,
      1,
    ],
    ['is refused if the second handler does not allow its client', [Authenticated(), AllowClients('another')], 403, 1],
    [
      'introspects its token again if the second handler accepts no cached result',
      [Authenticated(), MaxIntrospectionAge({ seconds: 0 })],
      200,
      2,
    ],
    ['is refused if the second handler has no access decorator (RS-20)', [], 403, 1],
  ])('%s', async (_, decorators, status, questions) => {
    const keycloak = KeycloakTestingModule.forRoot({ introspectionTtlSeconds: 0 });
    const app = await applicationOf([First, secondWith(...decorators)], () => new ExpressAdapter(), [keycloak]);
    await app.init();
    const bearer = signIn(app, testAccessToken({ subject: 'alice', permissions: ['orders.read'] }));
    const answer = await request(app.getHttpServer()).get('/twice').auth(bearer, { type: 'bearer' });
    expect([answer.status, asked]).toEqual([status, questions]);
  });
});
