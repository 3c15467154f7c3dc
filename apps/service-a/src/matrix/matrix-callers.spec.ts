import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { INTROSPECTION_CHANNEL } from 'nestjs-keycloak-s2s/diagnostics';
import { KeycloakTestingModule, signIn, testAccessToken } from 'nestjs-keycloak-s2s/testing';
import { serviceAdapter } from 'service-defaults';
import { settingsFrom } from '../../spec-support/settings.js';
import { serviceAConfig } from '../config.js';
import { OpenIdTokens } from '../login/openid-tokens.js';
import { UserSessions } from '../login/user-sessions.js';
import { ServiceAModule } from '../service-a.module.js';
import { MatrixCallers } from './matrix-callers.js';
import { MatrixModule } from './matrix.module.js';

const PERMISSION = 'attacks.run';

let app: NestFastifyApplication;
beforeAll(async () => {
  const settings = settingsFrom({
    NODE_ENV: 'test',
    DEMO_MODE: 'true',
    PUBLIC_URL: 'http://localhost:3000',
    KEYCLOAK_BASE_URL: 'http://127.0.0.1:9',
    KEYCLOAK_REALM: 'shop',
    SERVICE_A_CLIENT_SECRET: 'a-secret',
  });
  const builder = Test.createTestingModule({ imports: [ServiceAModule.register({ demoMode: false }), MatrixModule] })
    .overrideProvider(serviceAConfig.KEY)
    .useValue(settings);
  const module = await KeycloakTestingModule.override(builder)
    .setLogger({ log() {}, warn() {}, error() {} })
    .compile();
  app = await module.createNestApplication<NestFastifyApplication>(serviceAdapter()).init();
});
afterAll(() => app.close());

it("runs the matrix as the session's user, even if the session ends during the request (BF-05)", async () => {
  const accessToken = signIn(
    app,
    testAccessToken({ subject: 'alice', client: 'service-a', permissions: [PERMISSION] }),
  );
  const sessions = app.get(UserSessions);
  const id = await sessions.begin({
    subject: 'alice',
    sessionId: undefined,
    username: 'alice',
    issuedAt: 1000,
    authentication: { acr: '1', authTime: 1000 },
    tokens: new OpenIdTokens({
      accessToken,
      refreshToken: 'the-refresh-token',
      idToken: 'the-id-token',
      askedAtMs: performance.now(),
      expiresAtMs: performance.now() + 300_000,
    }),
  });
  const end = (): void => void sessions.end(id);
  subscribe(INTROSPECTION_CHANNEL, end);
  const request = { headers: { cookie: `session=${id}` } };
  const caller = await app.get(MatrixCallers).of(undefined, request, PERMISSION);
  unsubscribe(INTROSPECTION_CHANNEL, end);
  await expect(sessions.find(id)).resolves.toBeUndefined();
  expect(caller).toMatchObject({ token: accessToken, viewer: { username: 'alice' } });
});
