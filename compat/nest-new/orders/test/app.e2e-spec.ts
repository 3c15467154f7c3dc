import { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { KeycloakTestingModule } from 'nestjs-keycloak-s2s/testing';
import request from 'supertest';
import { App } from 'supertest/types';
import { AppModule } from './../src/app.module';

describe('AppController (e2e)', () => {
  let app: INestApplication<App>;

  beforeEach(async () => {
    const builder = Test.createTestingModule({ imports: [AppModule] });
    app = (await KeycloakTestingModule.override(builder, {}).compile()).createNestApplication();
    await app.init();
  });

  it('/ (GET)', () => {
    return request(app.getHttpServer()).get('/').expect(200).expect('Hello World!');
  });

  afterEach(async () => {
    await app?.close();
  });
});
