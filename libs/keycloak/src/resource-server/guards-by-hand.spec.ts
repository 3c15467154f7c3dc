import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Scope,
  UseGuards,
  type ExecutionContext,
  type INestApplication,
  type ModuleMetadata,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_GUARD, REQUEST } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  Caller,
  Authenticated,
  KeycloakGuard,
  MaxIntrospectionAge,
  Public,
  RequirePermission,
  type VerifiedAccessToken,
} from '../index.js';
import { INTROSPECTION_CHANNEL } from '../entry-points/diagnostics/index.js';
import { KeycloakTestingModule, signIn, testAccessToken } from '../testing/index.js';

const ran: string[] = [];
let asked = 0;
const count = (): void => {
  asked += 1;
};
const apps: INestApplication[] = [];
beforeEach(() => {
  asked = 0;
  subscribe(INTROSPECTION_CHANNEL, count);
});
afterEach(async () => {
  unsubscribe(INTROSPECTION_CHANNEL, count);
  ran.length = 0;
  for (const app of apps.splice(0)) await app.close();
});

class SilentHeir extends KeycloakGuard {}

@Injectable()
class Settings {
  readonly name = 'settings';
}

@Injectable()
class Heir extends KeycloakGuard {
  constructor(@Inject(Settings) private readonly settings: Settings) {
    super();
  }
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    ran.push(this.settings.name);
    return super.canActivate(context);
  }
}

@Injectable({ scope: Scope.REQUEST })
class HeirOfRequest extends KeycloakGuard {
  constructor(@Inject(REQUEST) readonly ofRequest: object) {
    super();
  }
}

const GUARDS: readonly (readonly [string, Type<KeycloakGuard>])[] = [
  ['KeycloakGuard', KeycloakGuard],
  ['a derived guard', SilentHeir],
  ['a derived guard with its own constructor', Heir],
];

type Binding = (guard: Type<KeycloakGuard>, controller: Type) => Provider[];

const BINDINGS: readonly (readonly [string, Binding])[] = [
  [
    '@UseGuards on the class',
    (guard, controller) => {
      UseGuards(guard)(controller);
      return [];
    },
  ],
  [
    '@UseGuards on the handlers',
    (guard, { prototype }) => {
      for (const name of ['open', 'order', 'closed']) {
        UseGuards(guard)(
          prototype as object,
          name,
          Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor,
        );
      }
      return [];
    },
  ],
  ['a second APP_GUARD', (guard) => [{ provide: APP_GUARD, useClass: guard }]],
  ['an APP_GUARD with useExisting', (guard) => [guard, { provide: APP_GUARD, useExisting: guard }]],
];

function ordersOf(decorated: boolean): Type {
  @Controller()
  class Orders {
    @Get('open')
    open(): string {
      return 'open';
    }
    @Get('order')
    order(token: VerifiedAccessToken | undefined): object {
      return { subject: token?.subject };
    }
    @Get('closed')
    closed(): string {
      return 'closed';
    }
  }
  if (!decorated) return Orders;
  const put = (name: string, ...decorators: MethodDecorator[]): void => {
    const descriptor = Object.getOwnPropertyDescriptor(Orders.prototype, name) as PropertyDescriptor;
    for (const decorate of decorators) decorate(Orders.prototype, name, descriptor);
  };
  put('open', Public());
  put('order', MaxIntrospectionAge({ seconds: 0 }), RequirePermission('orders.read'));
  Caller()(Orders.prototype, 'order', 0);
  return Orders;
}

async function applicationOf(metadata: ModuleMetadata): Promise<INestApplication> {
  const providers = [Settings, ...(metadata.providers ?? [])];
  const module = await Test.createTestingModule({ ...metadata, providers })
    .setLogger({ log: () => {}, warn: () => {}, error: () => {} })
    .compile();
  const app = module.createNestApplication(new ExpressAdapter());
  apps.push(app);
  return app;
}

describe.each(GUARDS)('%s', (_, guard) => {
  describe.each(BINDINGS)('a guard that is bound by %s', (__, bind) => {
    it("reuses the verified token of KeycloakModule's guard, and applies the decorators (RS-20)", async () => {
      const controller = ordersOf(true);
      const providers = bind(guard, controller);
      const app = await applicationOf({
        imports: [KeycloakTestingModule.forRoot()],
        controllers: [controller],
        providers,
      });
      await app.init();
      const get = (path: string) => request(app.getHttpServer()).get(path);
      const tokenWith = (...permissions: string[]) => signIn(app, testAccessToken({ subject: 'alice', permissions }));
      const good = tokenWith('orders.read');

      await get('/order').auth(good, { type: 'bearer' }).expect(200, { subject: 'alice' });
      expect(asked).toBe(1);
      await get('/order').expect(401);
      await get('/order').auth(tokenWith(), { type: 'bearer' }).expect(403);
      await get('/closed').auth(good, { type: 'bearer' }).expect(403);
      await get('/open').expect(200);
      expect(asked).toBe(2);
    });

    it.each([
      ['with access decorators', true],
      ['without access decorators', false],
    ])('stops the start of an application without KeycloakModule: %s (RS-20)', async (___, decorated) => {
      const controller = ordersOf(decorated);
      const providers = bind(guard, controller);
      const app = await applicationOf({ controllers: [controller], providers });
      await expect(app.init()).rejects.toThrow(/import KeycloakModule\.forRoot in the root module/i);
    });
  });
});

describe('a request-scoped derived guard', () => {
  it('reuses the token that the guard of KeycloakModule has verified', async () => {
    const controller = ordersOf(true);
    UseGuards(HeirOfRequest)(controller);
    const app = await applicationOf({ imports: [KeycloakTestingModule.forRoot()], controllers: [controller] });
    await app.init();
    const bearer = signIn(app, testAccessToken({ permissions: ['orders.read'] }));
    await request(app.getHttpServer()).get('/order').auth(bearer, { type: 'bearer' }).expect(200);
    expect(asked).toBe(1);
  });

  it('refuses every request if the application has no KeycloakModule (RS-20)', async () => {
    const controller = ordersOf(false);
    UseGuards(HeirOfRequest)(controller);
    const app = await applicationOf({ controllers: [controller] });
    await app.init().catch(() => undefined);
    await request(app.getHttpServer()).get('/open').expect(500);
  });
});

it('a KeycloakGuard that the application creates with "new" refuses every request', async () => {
  const guard = new KeycloakGuard();
  await expect(guard.callerOf({ headers: {} })).rejects.toThrow('import KeycloakModule.forRoot');
  @Controller()
  @Authenticated()
  class Orders {
    @Get('open')
    open(): string {
      return 'open';
    }
  }
  const app = await applicationOf({ controllers: [Orders], imports: [KeycloakTestingModule.forRoot()] });
  app.useGlobalGuards(new KeycloakGuard());
  await app.init();
  await request(app.getHttpServer()).get('/open').expect(401);
});
