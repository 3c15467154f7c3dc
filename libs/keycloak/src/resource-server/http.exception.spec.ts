import {
  Catch,
  Controller,
  Get,
  HttpException,
  Module,
  Res,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
  type LoggerService,
  type ModuleMetadata,
} from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost, type AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import request from 'supertest';
import { KeycloakModule } from '../module/keycloak.module.js';
import { ServiceCallError } from '../client/service-call-error.js';
import { KeycloakTestingModule } from '../testing/in-memory/keycloak-testing.module.js';
import { Public, RequirePermission } from './access.decorators.js';

const SETTINGS = { issuer: 'https://sso.test/realms/shop', clientId: 'orders', clientSecret: 'x' };

@Controller()
class Routes {
  @Get('guarded')
  @RequirePermission('orders.read')
  guarded(): string {
    return 'never';
  }

  @Get('closed')
  closed(): string {
    return 'never';
  }

  @Get('failing')
  @Public()
  failing(): never {
    throw new ServiceCallError('service_timeout', 'inventory', 'timeout');
  }

  @Get('begun')
  @Public()
  begun(@Res() response: ServerResponse & { readonly raw?: ServerResponse }): never {
    (response.raw ?? response).writeHead(200, { 'Content-Type': 'text/plain' }).write('begun');
    return this.failing();
  }
}

@Catch()
class CatchAll implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const isKnown = error instanceof HttpException;
    const body = isKnown
      ? { mine: error.getStatus(), message: error.message, response: error.getResponse() }
      : { mine: 500, message: 'Internal' };
    this.adapterHost.httpAdapter.reply(host.switchToHttp().getResponse(), body, body.mine);
  }
}

@Module({ providers: [{ provide: APP_FILTER, useClass: CatchAll }] })
class FiltersModule {}

class Lines implements LoggerService {
  readonly lines: string[] = [];
  log = (line: unknown): void => void this.lines.push(JSON.stringify(line));
  warn = this.log;
  error = this.log;
}

let app: INestApplication | undefined;
const log = new Lines();
afterEach(async () => {
  await app?.close();
  log.lines.length = 0;
});

async function start(
  adapter: AbstractHttpAdapter,
  imports: NonNullable<ModuleMetadata['imports']>,
  isGlobal = false,
): Promise<INestApplication> {
  const builder = Test.createTestingModule({ imports, controllers: [Routes] }).setLogger(log);
  app = (await KeycloakTestingModule.override(builder).compile()).createNestApplication(adapter);
  if (isGlobal) app.useGlobalFilters(new CatchAll(app.get(HttpAdapterHost)));
  await app.init();
  if (adapter instanceof FastifyAdapter) await (app as NestFastifyApplication).getHttpAdapter().getInstance().ready();
  return app;
}

const KEYCLOAK = KeycloakModule.forRoot(SETTINGS);

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('a refusal, on %s,', (_, adapter) => {
  describe.each([
    ['registered by useGlobalFilters', [KEYCLOAK], true],
    ['registered as APP_FILTER of a module that is imported later', [KEYCLOAK, FiltersModule], false],
  ])('a refusal in a catch-all filter, %s,', (__, imports, isGlobal) => {
    it.each([
      ['/guarded', 401, 'Missing token', 'missing_token'],
      ['/closed', 403, 'Route closed', 'route_closed'],
      ['/failing', 504, 'Next service timed out', 'service_timeout'],
    ])('is an HttpException that reveals no more than the response, for %s', async (path, status, message, code) => {
      const server = (await start(adapter(), imports, isGlobal)).getHttpServer() as Parameters<typeof request>[0];
      const answer = await request(server).get(path);
      expect([answer.status, answer.body]).toEqual([
        status,
        { mine: status, message, response: { error: message, code } },
      ]);
    });

    it('is logged and has its challenge in the response before the filter runs', async () => {
      const server = (await start(adapter(), imports, isGlobal)).getHttpServer() as Parameters<typeof request>[0];
      const { headers } = await request(server).get('/guarded');
      expect(headers['www-authenticate']).toBe('Bearer realm="orders"');
      const refused = log.lines.filter((line) => line.includes('Request refused'));
      expect(refused).toHaveLength(1);
      expect(refused[0]).toContain('"reason":"no_credentials"');
    });
  });

  it('is logged once and ends a response that the handler already started', async () => {
    const server = (await start(adapter(), [KEYCLOAK])).getHttpServer() as Parameters<typeof request>[0];
    log.lines.length = 0;
    const { status, text } = await request(server).get('/begun');
    expect([status, text]).toEqual([200, 'begun']);
    expect(log.lines).toEqual([expect.stringContaining('"code":"service_timeout"')]);
  });

  it.each([
    ['without a catch-all filter', [KEYCLOAK]],
    ['with a catch-all filter in a module that is imported earlier', [FiltersModule, KEYCLOAK]],
  ])('is logged once and answered by the library, %s', async (__, imports) => {
    const server = (await start(adapter(), imports)).getHttpServer() as Parameters<typeof request>[0];
    const { status, body, headers } = await request(server).get('/guarded');
    expect([status, body, headers['www-authenticate']]).toEqual([
      401,
      { error: 'Missing token', code: 'missing_token' },
      'Bearer realm="orders"',
    ]);
    expect(log.lines.filter((line) => line.includes('Request refused'))).toHaveLength(1);
  });
});
