import { Controller, Get, Module, NotFoundException } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { KeycloakModule, Public } from 'nestjs-keycloak-s2s';
import { serviceAdapter } from 'service-defaults';
import request from 'supertest';
import { PagesModule } from './pages.module.js';

@Controller()
@Public()
class Routes {
  @Get('known')
  known(): never {
    throw new NotFoundException({ code: 'order_not_found' });
  }
}

const KEYCLOAK = { issuer: 'https://sso.test/realms/shop', clientId: 'service-a', clientSecret: 'x' };

@Module({ imports: [KeycloakModule.forRoot(KEYCLOAK), PagesModule], controllers: [Routes] })
class TestModule {}

let app: NestFastifyApplication;
beforeAll(async () => {
  const module = await Test.createTestingModule({ imports: [TestModule] }).setLogger({
    log() {},
    warn() {},
    error() {},
  });
  app = (await module.compile()).createNestApplication<NestFastifyApplication>(serviceAdapter());
  await app.listen(0, '127.0.0.1');
});
afterAll(() => app.close());

const BROWSER = 'text/html,application/xhtml+xml,*/*;q=0.8';

it('shows an HTML page to a browser that requests an unknown path', async () => {
  const { status, headers, text } = await request(app.getHttpServer()).get('/no-such').set('accept', BROWSER);
  expect([status, headers['content-type']]).toEqual([404, 'text/html; charset=utf-8']);
  expect(text).toContain('<h1>Page not found</h1>');
});

it.each([
  ['a client that requests an unknown path and does not prefer HTML', '/no-such', '*/*'],
  ['a browser that requests a route that answers 404', '/known', BROWSER],
])('%s gets JSON', async (_, path, accept) => {
  const { status, headers } = await request(app.getHttpServer()).get(path).set('accept', accept);
  expect([status, headers['content-type']]).toEqual([404, 'application/json; charset=utf-8']);
});
