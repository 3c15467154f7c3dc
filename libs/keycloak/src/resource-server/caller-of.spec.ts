import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Scope,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, REQUEST } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Observable } from 'rxjs';
import {
  Caller,
  KeycloakGuard,
  MaxIntrospectionAge,
  Public,
  RequirePermission,
  RevocationList,
  type PermissionContext,
  type VerifiedAccessToken,
} from '../index.js';
import { INTROSPECTION_CHANNEL } from '../entry-points/diagnostics/index.js';
import type { AdaptedRequest } from '../entry-points/extension/index.js';
import { KeycloakTestingModule, signIn, testAccessToken } from '../testing/index.js';

const seen: string[] = [];

let between = (): void => {};

@Injectable()
class Throttler implements CanActivate {
  constructor(private readonly guard: KeycloakGuard) {}
  async canActivate(context: ExecutionContext): Promise<boolean> {
    seen.push(`throttler: ${(await this.guard.callerOf(context))?.subject ?? 'nobody'}`);
    between();
    return true;
  }
}

@Injectable()
class Auditor implements NestInterceptor {
  constructor(private readonly guard: KeycloakGuard) {}
  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    seen.push(`auditor: ${(await this.guard.callerOf(context))?.subject ?? 'nobody'}`);
    return next.handle();
  }
}

@Injectable({ scope: Scope.REQUEST })
class Tenant {
  constructor(
    private readonly guard: KeycloakGuard,
    @Inject(REQUEST) private readonly request: AdaptedRequest,
  ) {}
  async name(): Promise<string> {
    return (await this.guard.callerOf(this.request))?.subject ?? 'nobody';
  }
}

@Controller()
class Orders {
  constructor(private readonly tenant: Tenant) {}

  @Get('mine')
  @RequirePermission('orders.read')
  async mine(@Caller() caller: VerifiedAccessToken): Promise<string> {
    return `${caller.subject} of ${await this.tenant.name()}`;
  }

  @Get('now')
  @RequirePermission('orders.read')
  @MaxIntrospectionAge({ seconds: 0 })
  now(): string {
    return 'now';
  }

  @Get('open')
  @Public()
  open(): Promise<string> {
    return this.tenant.name();
  }
}

@Module({
  controllers: [Orders],
  providers: [Tenant, { provide: APP_GUARD, useClass: Throttler }, { provide: APP_INTERCEPTOR, useClass: Auditor }],
})
class App {}

const undone: (() => unknown)[] = [];
afterEach(async () => {
  seen.length = 0;
  between = () => {};
  for (const undo of undone.splice(0).toReversed()) await undo();
});

async function start(adapter: object, options: Parameters<typeof KeycloakTestingModule.forRoot>[0] = {}) {
  const module = await Test.createTestingModule({ imports: [App, KeycloakTestingModule.forRoot(options)] }).compile();
  const app = module.createNestApplication(adapter as ExpressAdapter, { logger: false }) as INestApplication;
  undone.push(() => app.close());
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const get = async (path: string, authorization?: string) => {
    const answer = await fetch(`${url}${path}`, { headers: authorization === undefined ? {} : { authorization } });
    return `${answer.status} ${answer.status === 200 ? await answer.text() : (Object(await answer.json()) as { code: string }).code}`;
  };
  const bearer = (...permissions: string[]): string =>
    `Bearer ${signIn(app, testAccessToken({ subject: 'alice', permissions }))}`;
  return { get, bearer, app };
}

function introspections(): unknown[] {
  const asked: unknown[] = [];
  const listener = (message: unknown): void => void asked.push(Object(message).outcome);
  subscribe(INTROSPECTION_CHANNEL, listener);
  undone.push(() => unsubscribe(INTROSPECTION_CHANNEL, listener));
  return asked;
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('callerOf on %s', (_, adapter) => {
  it('returns the caller in guards, interceptors and providers, with one verification of the token', async () => {
    const { get, bearer } = await start(adapter());
    const asked = introspections();
    expect(await get('/mine', bearer('orders.read'))).toBe('200 alice of alice');
    expect(seen).toEqual(['throttler: alice', 'auditor: alice']);
    expect(asked).toEqual(['asked']);
  });

  it('returns the caller even if the route refuses the caller afterwards', async () => {
    const { get, bearer } = await start(adapter());
    expect(await get('/mine', bearer('orders.write'))).toBe('403 insufficient_scope');
    expect(seen).toEqual(['throttler: alice']);
  });

  it('returns undefined without a token, and throws an error for an invalid token', async () => {
    const { get } = await start(adapter());
    expect(await get('/mine')).toBe('401 missing_token');
    expect(await get('/mine', 'Bearer junk')).toBe('401 invalid_token');
    expect(await get('/mine', 'Bearer a b')).toBe('400 invalid_request');
    expect(seen).toEqual(['throttler: nobody']);
  });

  it('lets the guard refuse a token that is denied afterwards (RS-13)', async () => {
    const { get, app } = await start(adapter());
    const authorization = `Bearer ${signIn(app, testAccessToken({ permissions: ['orders.read'], claims: { sid: 'session' } }))}`;
    between = () => app.get(RevocationList, { strict: false }).deny({ sid: 'session' });
    expect(await get('/mine', authorization)).toBe('401 invalid_token');
  });

  it('verifies the token of a request to a public route', async () => {
    const { get, bearer } = await start(adapter());
    expect(await get('/open', bearer())).toBe('200 alice');
    expect(await get('/open')).toBe('200 nobody');
  });

  it('uses a cached result even on a route whose guard introspects for each request', async () => {
    const { get, bearer } = await start(adapter());
    const authorization = bearer('orders.read');
    await get('/mine', authorization);
    const asked = introspections();
    expect(await get('/now', authorization)).toBe('200 now');
    expect(asked).toEqual(['cached', 'asked']);
  });

  it('passes the request to mapPermissions, and waits for the result', async () => {
    const contexts: (PermissionContext | undefined)[] = [];
    const permissions = async (__: unknown, context: PermissionContext | undefined): Promise<string[]> => {
      contexts.push(context);
      return context?.request.headers['x-tenant'] === 'mine' ? ['orders.read'] : [];
    };
    const { get, bearer } = await start(adapter(), { mapPermissions: permissions });
    expect(await get('/mine', bearer())).toBe('403 insufficient_scope');
    expect(contexts).toMatchObject([{ kind: 'http' }]);
  });
});

describe('callerOf in a context without a request adapter', () => {
  it('throws the refusal route_closed', async () => {
    const module = await Test.createTestingModule({ imports: [KeycloakTestingModule.forRoot()] }).compile();
    const guard = module.get(KeycloakGuard);
    const context = { getType: () => 'rpc', getArgs: () => [{}, {}] } as unknown as ExecutionContext;
    await expect(guard.callerOf(context)).rejects.toMatchObject({
      code: 'route_closed',
      reason: 'context_without_carrier',
    });
  });
});

describe('callerOf without a request', () => {
  it.each<[string, unknown]>([
    ['the REQUEST of a job or a queue, which is undefined', undefined],
    ['null', null],
    ['the REQUEST of GraphQL, which is the context', { req: { headers: { authorization: 'Bearer a.b.c' } } }],
    ['the REQUEST of a message, which has pattern and data', { pattern: 'orders.place', data: {} }],
  ])('throws an error that names the accepted arguments: %s', async (_, of) => {
    const module = await Test.createTestingModule({ imports: [KeycloakTestingModule.forRoot()] }).compile();
    await expect(module.get(KeycloakGuard).callerOf(of as AdaptedRequest)).rejects.toThrow(
      /^callerOf\(\) needs an ExecutionContext or a request with its headers\./,
    );
  });
});
