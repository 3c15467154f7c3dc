import { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  KeycloakTestingModule,
  signIn,
  testAccessToken,
  type TestAccessTokenOptions,
} from 'nestjs-keycloak-s2s/testing';
import request from 'supertest';
import { App } from 'supertest/types.js';
import { AppModule } from './app.module.js';

describe('GET /stock/:article', () => {
  let app: INestApplication<App>;

  beforeEach(async () => {
    const builder = Test.createTestingModule({ imports: [AppModule] });
    app = (await KeycloakTestingModule.override(builder, {}).compile()).createNestApplication();
    await app.init();
  });

  afterEach(() => app?.close());

  const read = (options: TestAccessTokenOptions) => {
    const token = signIn(app, testAccessToken({ subject: 'alice', permissions: ['stock.read'], ...options }));
    return request(app.getHttpServer()).get('/stock/pen').auth(token, { type: 'bearer' });
  };

  it('answers the client orders, and names the caller as the reader', async () => {
    const { status, body } = await read({ client: 'orders' });
    expect({ status, body }).toEqual({ status: 200, body: { left: 3, reader: 'alice' } });
  });

  it('refuses other clients, and callers without the permission', async () => {
    expect((await read({ client: 'reports' })).status).toBe(403);
    expect((await read({ client: 'orders', permissions: [] })).status).toBe(403);
  });
});
