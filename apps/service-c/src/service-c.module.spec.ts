import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  KeycloakTestingModule,
  signIn,
  testAccessToken,
  type TestAccessTokenOptions,
} from 'nestjs-keycloak-s2s/testing';
import { equipService, serviceAdapter } from 'service-defaults';
import request from 'supertest';
import { serviceCConfig } from './config.js';
import { ServiceCModule } from './service-c.module.js';

const keycloak = { issuer: 'https://sso.example.com/realms/shop', clientId: 'service-c', clientSecret: 'a secret' };
const urls = Object.fromEntries(
  Object.keys(serviceCConfig.description.calls).map((name) => [name, `https://${name}.internal`]),
);

let app: NestFastifyApplication;

beforeAll(async () => {
  const builder = Test.createTestingModule({ imports: [ServiceCModule.register({ demoMode: false })] })
    .overrideProvider(serviceCConfig.KEY)
    .useValue({ keycloak, urls });
  const module = await KeycloakTestingModule.override(builder)
    .setLogger({ log() {}, warn() {}, error() {} })
    .compile();
  app = equipService(module.createNestApplication<NestFastifyApplication>(serviceAdapter()));
  await app.listen(0, '127.0.0.1');
});
afterAll(() => app.close());

const serviceB = { client: 'service-b', permissions: ['analytics.run'] };

const compute = (caller: TestAccessTokenOptions, body: object = { value: 10 }): request.Test =>
  request(app.getHttpServer())
    .post('/api/compute')
    .auth(signIn(app, testAccessToken(caller)), { type: 'bearer' })
    .send(body);

describe('POST /api/compute', () => {
  it('accepts calls from Service B', async () => {
    const { body } = await compute(serviceB).expect(200);
    expect(body).toEqual({ result: 20, msg: 'Service C successfully processed request' });
  });

  it.each<[string, number, object, TestAccessTokenOptions]>([
    ['has no permission', 403, { code: 'insufficient_scope', permission: 'analytics.run' }, { permissions: [] }],
    ['is another service', 403, { code: 'client_not_allowed' }, { client: 'service-a' }],
    ['has a token for Service B', 401, { code: 'invalid_token' }, { audience: 'service-b' }],
    ['has a token of another realm', 401, { code: 'invalid_token' }, { issuer: `${keycloak.issuer}2` }],
    ['has a token that has expired', 401, { code: 'invalid_token' }, { expiresInSeconds: -60 }],
  ])('refuses a caller that %s', async (_, status, refusal, overrides) => {
    const { body } = await compute({ ...serviceB, ...overrides }).expect(status);
    expect(body).toMatchObject(refusal);
  });

  it('refuses a caller before Service C validates the body', async () => {
    await request(app.getHttpServer()).post('/api/compute').send({ value: 'ten' }).expect(401);
    const { body } = await compute(serviceB, { value: 'ten' }).expect(400);
    expect(body).toMatchObject({ code: 'invalid_body' });
  });
});
