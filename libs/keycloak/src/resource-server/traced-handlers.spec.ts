import { Controller, Get, Scope, Sse, type DynamicModule, type INestApplication, type Type } from '@nestjs/common';
import { RouterExecutionContext } from '@nestjs/core/router/router-execution-context.js';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { of, type Observable } from 'rxjs';
import request from 'supertest';
import { Caller, Authenticated, OptionalToken, Public, RequirePermission, type VerifiedAccessToken } from '../index.js';
import { KeycloakTestingModule, signIn, testAccessToken } from '../testing/index.js';

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

type Handle = (...given: unknown[]) => unknown;

function traced(handler: Handle): Handle {
  const wrapper = function (this: unknown, ...given: unknown[]): unknown {
    return handler.apply(this, given);
  };
  for (const key of Reflect.getMetadataKeys(handler) as string[])
    Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), wrapper);
  return wrapper;
}

interface Router {
  create: (instance: object, callback: Handle, ...more: unknown[]) => unknown;
}
const router = RouterExecutionContext.prototype as unknown as Router;
const { create } = router;

beforeAll(() => {
  router.create = function (this: Router, instance, callback, ...more) {
    return create.call(this, instance, traced(callback), ...more);
  };
});

afterAll(() => {
  router.create = create;
});

let app: INestApplication | undefined;

afterEach(() => app?.close());

const start = async (...controllers: Type[]): Promise<void> => startWith(KeycloakTestingModule.forRoot(), controllers);

async function startWith(keycloak: DynamicModule, controllers: Type[] = []): Promise<void> {
  const module = await Test.createTestingModule({ imports: [keycloak], controllers })
    .setLogger(SILENT)
    .compile();
  app = module.createNestApplication(new ExpressAdapter());
  await app.init();
}

async function answersOf(path: string): Promise<number[]> {
  if (app === undefined) throw new Error('It was not started');
  const answers = [(await request(app.getHttpServer()).get(path)).status];
  for (const permissions of [[], ['admin']]) {
    const bearer = signIn(app, testAccessToken({ permissions }));
    answers.push((await request(app.getHttpServer()).get(path).auth(bearer, { type: 'bearer' })).status);
  }
  return answers;
}

class Base {
  @Get('inherited')
  @RequirePermission('admin')
  inherited(): string {
    return 'done';
  }
  @Get('silent')
  silent(): string {
    return 'done';
  }
}

@Controller()
@Authenticated()
class Orders extends Base {
  @Get('public')
  @Public()
  public(): string {
    return 'done';
  }
  @Get('optional')
  @OptionalToken()
  optional(@Caller() caller: VerifiedAccessToken | undefined): string {
    return caller?.subject ?? 'nobody';
  }
  @Get('admin')
  @RequirePermission('admin')
  admin(): string {
    return 'done';
  }
  @Get('class')
  ofClass(): string {
    return 'done';
  }
  @Sse('events')
  @RequirePermission('admin')
  events(): Observable<object> {
    return of({ data: 'done' });
  }
}

@Controller('forgotten')
class Forgotten extends Base {
  @Get('route')
  route(): string {
    return 'done';
  }
}

describe('a handler that a tracer has wrapped', () => {
  it.each([
    ['/public', [200, 200, 200]],
    ['/optional', [200, 200, 200]],
    ['/admin', [401, 403, 200]],
    ['/class', [401, 200, 200]],
    ['/events', [401, 403, 200]],
    ['/inherited', [401, 403, 200]],
    ['/silent', [401, 200, 200]],
    ['/forgotten/route', [403, 403, 403]],
    ['/forgotten/inherited', [403, 403, 403]],
    ['/forgotten/silent', [403, 403, 403]],
  ])('admits exactly the callers that its decorators admit: %s (RS-20)', async (path, answers) => {
    await start(Orders, Forgotten);
    expect(await answersOf(path)).toEqual(answers);
  });

  it('admits exactly the permitted callers, even on a request-scoped controller (RS-20)', async () => {
    @Controller({ scope: Scope.REQUEST })
    @Public()
    class PerRequest {
      @Get('admin')
      @RequirePermission('admin')
      admin(): string {
        return 'done';
      }
      @Get('class')
      ofClass(): string {
        return 'done';
      }
    }
    await start(PerRequest);
    expect([await answersOf('/admin'), await answersOf('/class')]).toEqual([
      [401, 403, 200],
      [200, 200, 200],
    ]);
  });

  it('stays public in each application if the handler serves the protected resource metadata', async () => {
    const path = '/.well-known/oauth-protected-resource';
    const module = KeycloakTestingModule.forRoot({ protectedResource: { resource: 'https://orders.test' } });
    for (let time = 1; time <= 2; time += 1) {
      await startWith(module);
      expect(await answersOf(path)).toEqual([200, 200, 200]);
      await app?.close();
    }
  });

  it('keeps the demands of the class from which the handler was copied (RS-20)', async () => {
    class Trait {
      @Get('route')
      @RequirePermission('admin')
      handle(): string {
        return 'done';
      }
    }
    @Controller()
    @Public()
    class Mixed {}
    Object.defineProperty(Mixed.prototype, 'handle', { value: traced(Trait.prototype.handle) });
    await start(Mixed);
    expect(await answersOf('/route')).toEqual([401, 403, 200]);
  });

  it.each<[string, (instance: { admin: Handle; open: Handle }) => Handle]>([
    ['bound', ({ admin }) => admin.bind(undefined)],
    ['of another class', () => traced(Orders.prototype.public)],
  ])('is closed if another function replaces the handler for a request: %s (RS-20)', async (_, another) => {
    @Controller({ scope: Scope.REQUEST })
    @Public()
    class PerRequest {
      constructor() {
        this.admin = another(this) as () => string;
      }
      @Get('admin')
      @RequirePermission('admin')
      admin(): string {
        return 'done';
      }
      open(): string {
        return 'done';
      }
    }
    await start(PerRequest);
    expect(await answersOf('/admin')).toEqual([403, 403, 403]);
  });
});
