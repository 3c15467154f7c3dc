import {
  Catch,
  Controller,
  Get,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  Authenticated,
  KeycloakException,
  KeycloakExceptionFilter,
  RequireAnyPermission,
  RequirePermission,
  RequireStepUp,
  type KeycloakModuleOptions,
} from '../index.js';
import { ChallengeScopes } from '../entry-points/extension/index.js';
import { KeycloakTestingModule, signIn, testAccessToken } from '../testing/index.js';

@Controller('tools')
@ChallengeScopes()
class Tools {
  @Get()
  @RequirePermission('tools.use')
  @RequireAnyPermission('tools.read', 'tools.audit')
  use(): void {}

  @Get('any')
  @Authenticated()
  any(): void {}

  @Get('strong')
  @RequirePermission('tools.use')
  @RequireStepUp({ acr: 'gold' })
  strong(): void {}
}

@Controller('orders')
class Orders {
  @Get()
  @RequirePermission('orders.read')
  read(): void {}

  @Get('marked')
  @ChallengeScopes()
  @RequirePermission('orders.read')
  marked(): void {}
}

const WITH_SCOPES = 'scope="tools.use tools.read"';

@Catch(KeycloakException)
class OwnFilter implements ExceptionFilter<KeycloakException> {
  constructor(
    private readonly refusals: KeycloakExceptionFilter,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  catch(refusal: KeycloakException, host: ArgumentsHost): void {
    const { status, headers } = this.refusals.toReply(refusal, host);
    const response: unknown = host.switchToHttp().getResponse();
    const { httpAdapter } = this.adapterHost;
    for (const [name, value] of Object.entries(headers)) httpAdapter.setHeader(response, name, value);
    httpAdapter.reply(response, { own: true }, status);
  }
}

let app: INestApplication;
afterEach(() => app.close());

async function start(adapter: object, options: Partial<KeycloakModuleOptions> = {}) {
  const imports = [KeycloakTestingModule.forRoot(options)];
  const module = await Test.createTestingModule({ imports, controllers: [Tools, Orders] })
    .setLogger({ log: () => undefined, warn: () => undefined, error: () => undefined })
    .compile();
  app = module.createNestApplication(adapter as ExpressAdapter);
  return async (path: string, authorization?: string): Promise<unknown> => {
    await app.init();
    if (adapter instanceof FastifyAdapter) await adapter.getInstance().ready();
    const asked = request(app.getHttpServer() as never).get(path);
    const { status, headers } = await (authorization === undefined ? asked : asked.set({ authorization }));
    return [status, String(headers['www-authenticate']).replace(/^Bearer realm="[^"]*"(?:, )?/, '')];
  };
}

const bearer = (...permissions: string[]): string => `Bearer ${signIn(app, testAccessToken({ permissions }))}`;

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('@ChallengeScopes() on %s', (_, adapter) => {
  it('names all scopes of the route in the 401 of a missing or invalid token (RFC 6750 section 3)', async () => {
    const get = await start(adapter());
    expect(await get('/tools')).toEqual([401, WITH_SCOPES]);
    expect(await get('/tools', 'Bearer junk')).toEqual([401, `error="invalid_token", ${WITH_SCOPES}`]);
    expect(await get('/orders/marked')).toEqual([401, 'scope="orders.read"']);
  });

  it('changes no challenge of a route without the decorator', async () => {
    const get = await start(adapter());
    expect(await get('/orders')).toEqual([401, '']);
    expect(await get('/orders', 'Bearer junk')).toEqual([401, 'error="invalid_token"']);
  });

  it('changes no other challenge, and opens no route', async () => {
    const get = await start(adapter());
    expect(await get('/tools/any')).toEqual([401, '']);
    expect(await get('/tools', 'Bearer a b')).toEqual([400, 'error="invalid_request"']);
    expect(await get('/tools', bearer('tools.audit'))).toEqual([
      403,
      'error="insufficient_scope", scope="tools.use tools.audit"',
    ]);
    expect(await get('/tools/strong', bearer('tools.use'))).toEqual([
      401,
      'error="insufficient_user_authentication", acr_values="gold"',
    ]);
  });

  it('names no scope if mapPermissions replaces the scopes of tokens', async () => {
    const get = await start(adapter(), { mapPermissions: () => [] });
    expect(await get('/tools')).toEqual([401, '']);
  });

  it('names the scopes in the reply that a filter of the application writes', async () => {
    const get = await start(adapter());
    app.useGlobalFilters(new OwnFilter(app.get(KeycloakExceptionFilter), app.get(HttpAdapterHost)));
    expect(await get('/tools')).toEqual([401, WITH_SCOPES]);
    expect(await get('/orders')).toEqual([401, '']);
  });
});
