import { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { KeycloakTestingModule, signIn, testAccessToken, testServices } from 'nestjs-keycloak-s2s/testing';
import request from 'supertest';
import { App } from 'supertest/types';
import { AppModule } from './app.module';

describe('GET /orders/:article', () => {
  // #region tests
  let app: INestApplication<App>;

  beforeEach(async () => {
    const builder = Test.createTestingModule({ imports: [AppModule] });
    app = (await KeycloakTestingModule.override(builder, {}).compile()).createNestApplication();
    await app.init();
  });

  afterEach(() => app?.close());

  const offer = (permissions: string[]) => {
    const token = signIn(app, testAccessToken({ subject: 'alice', permissions }));
    return request(app.getHttpServer()).get('/orders/pen').auth(token, { type: 'bearer' });
  };

  it('asks inventory in the name of the caller', async () => {
    testServices(app).on('inventory', 'GET', '/stock/pen').reply(200, { left: 3 });
    await offer(['orders.read']).expect(200, { article: 'pen', left: 3 });
    expect(testServices(app).calls).toMatchObject([
      { service: 'inventory', subject: 'alice', scope: 'stock.read', grant: 'token_exchange' },
    ]);
  });

  it('refuses a request without a token, and a caller without the permission', async () => {
    await request(app.getHttpServer()).get('/orders/pen').expect(401);
    await offer([]).expect(403);
  });
  // #endregion tests
});
