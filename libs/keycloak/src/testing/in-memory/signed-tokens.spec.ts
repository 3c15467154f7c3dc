import { Controller, Get, type INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  Caller,
  InjectServiceClient,
  KeycloakModule,
  RequirePermission,
  ServiceClient,
  type KeycloakModuleOptions,
  type VerifiedAccessToken,
} from '../../index.js';
import { jwtVerification, type JwtVerificationOptions } from '../../entry-points/jwt/index.js';
import { SIGNING_ALGORITHMS } from '../../entry-points/jws/signing-algorithms.js';
import { testAccessToken, type TestAccessTokenOptions } from '../test-access-token.js';
import { tokenText } from '../token-text.js';
import { signIn, testAuthorizationServer, testServices } from './application-under-test.js';
import { KeycloakTestingModule } from './keycloak-testing.module.js';

@Controller()
class OrdersController {
  constructor(@InjectServiceClient('inventory') private readonly inventory: ServiceClient) {}

  @Get('orders')
  @RequirePermission('orders.read')
  read(@Caller() token: VerifiedAccessToken): object {
    return { sub: token.subject, aud: token.audience, email: token.email };
  }

  @Get('stock')
  @RequirePermission('orders.read')
  stock(@Caller() token: VerifiedAccessToken): Promise<unknown> {
    return this.inventory.onBehalfOf(token, 'stock.read').get('/stock');
  }
}

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };
const apps: INestApplication[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function start(jwt: JwtVerificationOptions = {}, options: Partial<KeycloakModuleOptions> = {}) {
  const services = [{ name: 'inventory', baseUrl: 'https://inventory.test', audience: 'inventory' }];
  const module = await Test.createTestingModule({
    imports: [
      KeycloakTestingModule.forRoot({ verification: 'jwt', jwt: jwtVerification(jwt), ...options }),
      KeycloakModule.forFeature(services),
    ],
    controllers: [OrdersController],
  })
    .setLogger(SILENT)
    .compile();
  const app = module.createNestApplication(new ExpressAdapter());
  apps.push(app);
  await app.init();
  return {
    app,
    get: async (path: string, token: string): Promise<{ readonly status: number; readonly body: unknown }> =>
      request(app.getHttpServer()).get(path).auth(token, { type: 'bearer' }),
  };
}

const GOOD: TestAccessTokenOptions = { subject: 'alice', permissions: ['orders.read'] };

describe('a tested application that does not use Keycloak', () => {
  const issuer = 'https://sso.test/tenant';

  it.each<[string, Partial<KeycloakModuleOptions>]>([
    ['rfc9068, by signatures', { profile: 'rfc9068' }],
    ['rfc9068, by introspection', { profile: 'rfc9068', verification: 'introspection' }],
    ['rfc7662', { profile: 'rfc7662', verification: 'introspection', jwt: undefined as never }],
  ])('admits a signed-in caller, and calls a service on behalf of the caller: %s', async (_case, options) => {
    const { app, get } = await start({}, { issuer, ...options });
    testServices(app).on('inventory', 'GET', '/stock').reply(200, { left: 3 });
    const token = signIn(app, testAccessToken(GOOD));
    expect(await get('/orders', token)).toMatchObject({ status: 200, body: { sub: 'alice' } });
    expect(await get('/stock', token)).toMatchObject({ status: 200, body: { left: 3 } });
  });
});

describe('a tested application that verifies signatures', () => {
  it.each(SIGNING_ALGORITHMS)('admits a signed-in caller if %s is the only accepted algorithm', async (algorithm) => {
    const { app, get } = await start({ algorithms: [algorithm] });
    const token = signIn(app, testAccessToken({ ...GOOD, claims: { email: 'alice@example.com' } }));
    const { status, body } = await get('/orders', token);
    expect([status, body]).toEqual([200, { sub: 'alice', aud: ['test-service'], email: 'alice@example.com' }]);
  });

  it.each<[string, TestAccessTokenOptions, number]>([
    ['without the permission', { permissions: [] }, 403],
    ['that has expired', { expiresInSeconds: -60 }, 401],
    ['for another service', { audience: 'inventory' }, 401],
    ['of another realm', { issuer: 'https://sso.test/realms/other' }, 401],
    ['that is an ID token', { claims: { typ: 'ID' } }, 401],
    ['without an expiry', { claims: { exp: undefined } }, 401],
    ['with a text that was not signed', { text: tokenText('own') }, 401],
  ])('refuses a token %s', async (_, bent, status) => {
    const { app, get } = await start();
    expect(await get('/orders', signIn(app, testAccessToken({ ...GOOD, ...bent })))).toMatchObject({ status });
  });

  it('refuses a token that another application signed, and a token with an invalid signature', async () => {
    const [one, other] = [await start(), await start()];
    for (const token of [signIn(other.app, testAccessToken(GOOD)), tokenText('made-up')]) {
      expect(await one.get('/orders', token)).toMatchObject({ status: 401 });
    }
  });

  it('exchanges the token of its caller', async () => {
    const { app, get } = await start();
    testServices(app).on('inventory', 'GET', '/stock').reply(200, { left: 3 });
    expect(await get('/stock', signIn(app, testAccessToken(GOOD)))).toMatchObject({ status: 200, body: { left: 3 } });
    expect(testServices(app).calls).toMatchObject([
      { grant: 'token_exchange', subject: 'alice', audience: 'inventory' },
    ]);
  });

  it('answers 503 when the keys are unreachable', async () => {
    const { app, get } = await start();
    const token = signIn(app, testAccessToken(GOOD));
    testAuthorizationServer(app).fail('timeout');
    expect(await get('/orders', token)).toMatchObject({ status: 503 });
    testAuthorizationServer(app).recover();
    expect(await get('/orders', token)).toMatchObject({ status: 200 });
  });

  it('issues a different token at each sign-in of one caller', async () => {
    const { app } = await start({ algorithms: ['RS256'] });
    expect(signIn(app, testAccessToken(GOOD))).not.toBe(signIn(app, testAccessToken(GOOD)));
  });
});
