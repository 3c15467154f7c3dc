import { Controller, Get, Module, type INestApplication } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import request from 'supertest';
import {
  Caller,
  AllowClients,
  Authenticated,
  KeycloakModule,
  MaxIntrospectionAge,
  OptionalToken,
  Public,
  RequirePermission,
  RevocationList,
  VerifiedAccessToken,
} from '../../index.js';
import { testAccessToken, type TestAccessTokenOptions } from '../test-access-token.js';
import { tokenText } from '../token-text.js';
import { signIn, signOut, testAuthorizationServer } from './application-under-test.js';
import { KeycloakTestingModule } from './keycloak-testing.module.js';

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

const ISSUER = 'https://sso.example.com/realms/shop';

@Controller()
class OrdersController {
  @Get('orders')
  @RequirePermission('orders.read')
  orders(@Caller() token: VerifiedAccessToken): object {
    return { subject: token.subject, client: token.clientId, email: token.email };
  }

  @Get('approvals')
  @RequirePermission('orders.read', 'orders.approve')
  @AllowClients('back-office')
  approvals(): object {
    return {};
  }

  @Get('me')
  @Authenticated()
  @MaxIntrospectionAge({ seconds: 0 })
  me(@Caller() token: VerifiedAccessToken): object {
    return { subject: token.subject };
  }

  @Get('start')
  @OptionalToken()
  start(@Caller() token: VerifiedAccessToken | undefined): object {
    return { subject: token?.subject ?? null };
  }

  @Get('about')
  @Public()
  about(): object {
    return {};
  }

  @Get('forgotten')
  forgotten(): object {
    return {};
  }
}

@Module({
  imports: [
    KeycloakModule.forRootAsync({
      useFactory: () => ({
        issuer: ISSUER,
        internalServerUrl: 'https://keycloak.internal:8443',
        clientId: 'orders',
        clientSecret: 'a secret',
        exposeRefusalReasons: true,
      }),
    }),
  ],
  controllers: [OrdersController],
})
class AppModule {}

describe.each<[string, () => AbstractHttpAdapter]>([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('an application on %s, without a server', (name, adapter) => {
  let app: INestApplication;

  beforeEach(async () => {
    const module = await KeycloakTestingModule.override(Test.createTestingModule({ imports: [AppModule] }))
      .setLogger(SILENT)
      .compile();
    app = module.createNestApplication(adapter());
    await app.init();
    if (name === 'Fastify') await (app as NestFastifyApplication).getHttpAdapter().getInstance().ready();
  });
  afterEach(() => app.close());

  const read = (path: string, bearer: string): request.Test =>
    request(app.getHttpServer()).get(path).auth(bearer, { type: 'bearer' });
  const as = (options: TestAccessTokenOptions): string => signIn(app, testAccessToken(options));

  it('admits an authorised caller, and passes the token of the caller to the handler', async () => {
    const alice = { subject: 'alice', permissions: ['orders.read'], client: 'web-shop', claims: { email: 'a@b.test' } };
    const { body } = await read('/orders', as(alice)).expect(200);
    expect(body).toEqual({ subject: 'alice', client: 'web-shop', email: 'a@b.test' });
    await read('/me', as({})).expect(200, { subject: 'test-subject' });
    await read('/start', as({ subject: 'bob' })).expect(200, { subject: 'bob' });
  });

  it('admits a token with a cached result while the authorization server is unreachable', async () => {
    const alice = as({ subject: 'alice', permissions: ['orders.read'] });
    await read('/orders', alice).expect(200);
    testAuthorizationServer(app).fail('refused');
    expect((await read('/orders', alice)).status).toBe(200);
    expect((await read('/me', alice)).status).toBe(503);
  });

  it('requires a token on every route that is not public or optional', async () => {
    const http = request(app.getHttpServer());
    await http.get('/about').expect(200);
    await http.get('/start').expect(200, { subject: null });
    const { headers } = await http.get('/orders').expect(401);
    expect(headers['www-authenticate']).toBe('Bearer realm="orders"');
  });

  it('refuses every call to a route without an access decorator', async () => {
    const { body } = await read('/forgotten', as({ permissions: ['orders.read'] })).expect(403);
    expect(body).toMatchObject({ code: 'route_closed' });
  });

  it.each<[string, string, TestAccessTokenOptions]>([
    ['has expired', 'inactive', { expiresInSeconds: -60 }],
    ['has expired a moment ago', 'inactive', { expiresInSeconds: -1 }],
    ['is for another service', 'other_audience', { audience: 'inventory' }],
    ['is for other services', 'other_audience', { audience: ['inventory', 'account'] }],
    ['names another issuer', 'other_issuer', { issuer: 'https://sso.example.com/realms/other' }],
    ['is an ID token', 'not_an_access_token', { claims: { typ: 'ID' } }],
    ['is bound to a key', 'sender_constrained', { claims: { cnf: { jkt: 'thumbprint' } } }],
    ['is not valid yet', 'not_yet_valid', { claims: { nbf: Math.floor(Date.now() / 1000) + 3600 } }],
    ['has no subject', 'sub_missing', { claims: { sub: undefined } }],
    ['names no client', 'client_missing', { claims: { azp: undefined } }],
  ])('refuses a token that %s', async (_, reason, options) => {
    const bearer = as({ permissions: ['orders.read'], ...options });
    for (const path of ['/orders', '/start', '/me']) {
      const { body, headers } = await read(path, bearer).expect(401);
      expect(body).toMatchObject({ code: 'invalid_token', reason });
      expect(headers['www-authenticate']).toBe('Bearer realm="orders", error="invalid_token"');
    }
    await read('/about', bearer).expect(200);
  });

  it('admits a token for this service and for other services', async () => {
    const both = as({ permissions: ['orders.read'], audience: ['account', 'orders'] });
    expect((await read('/orders', both)).status).toBe(200);
  });

  it('names the missing permission in the refusal', async () => {
    const { body, headers } = await read('/orders', as({ permissions: ['orders.readwrite'] })).expect(403);
    expect(body).toMatchObject({ code: 'insufficient_scope', permission: 'orders.read' });
    expect(headers['www-authenticate']).toContain('error="insufficient_scope"');
  });

  it('refuses a client that the route does not allow', async () => {
    const permissions = ['orders.read', 'orders.approve'];
    await read('/approvals', as({ permissions, client: 'back-office' })).expect(200);
    const { body } = await read('/approvals', as({ permissions, client: 'web-shop' })).expect(403);
    expect(body).toMatchObject({ code: 'client_not_allowed' });
  });

  it('refuses a malformed token, and a token that signIn() did not return', async () => {
    await read('/orders', 'not/a\\token').expect(401);
    await read('/orders', 'two words').expect(400);
    expect((await read('/orders', 'junk').expect(401)).body).toMatchObject({ reason: 'token_malformed' });
    const { body } = await read('/orders', tokenText('of nobody')).expect(401);
    expect(body).toMatchObject({ code: 'invalid_token', reason: 'inactive' });
    const alice = as({ permissions: ['orders.read'] });
    await request(app.getHttpServer()).get(`/orders?access_token=${alice}`).expect(401);
    await request(app.getHttpServer()).get('/orders').set('Authorization', `Basic ${alice}`).expect(401);
  });

  it('refuses a token at the first introspection after signOut()', async () => {
    const ended = as({ permissions: ['orders.read'] });
    signOut(app, ended);
    expect((await read('/orders', ended).expect(401)).body).toMatchObject({ reason: 'inactive' });

    const later = as({ permissions: ['orders.read'] });
    await read('/orders', later).expect(200);
    signOut(app, later);
    await read('/orders', later).expect(200);
    await read('/me', later).expect(401);
    await read('/orders', later).expect(401);
  });

  it('refuses a token immediately after its session was added to the revocation list', async () => {
    const alice = as({ subject: 'alice', permissions: ['orders.read'], claims: { sid: 's1' } });
    await read('/orders', alice).expect(200);
    app.get(RevocationList).deny({ sid: 's1' });
    expect((await read('/orders', alice).expect(401)).body).toMatchObject({ reason: 'revoked' });
    await read('/orders', as({ permissions: ['orders.read'], claims: { sid: 's2' } })).expect(200);
  });

  it.each(['refused', 'reset', 'timeout'] as const)(
    'answers 503 while its authorization server is unreachable (%s)',
    async (fault) => {
      const alice = as({ permissions: ['orders.read'] });
      testAuthorizationServer(app).fail(fault);
      const { body } = await read('/orders', alice).expect(503);
      expect(body).toMatchObject({ code: 'authorization_server_unavailable' });
      testAuthorizationServer(app).recover();
      await read('/orders', alice).expect(200);
    },
  );

  it('does not mix up simultaneous callers', async () => {
    const described = fc.record({
      subject: fc.stringMatching(/^[\w-]{1,20}$/),
      permissions: fc.uniqueArray(fc.constantFrom('orders.read', 'orders.approve', 'orders', 'read')),
      audience: fc.constantFrom('orders', 'inventory'),
      expiresInSeconds: fc.constantFrom(-60, 60),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(described, { minLength: 1, maxLength: 5 }), async (callers) => {
        const bearers = callers.map((caller) => signIn(app, testAccessToken(caller)));
        const answers = await Promise.all(bearers.map((bearer) => read('/orders', bearer)));
        expect(answers.map(({ status, body }) => [status, (body as { subject?: string }).subject])).toEqual(
          callers.map(({ subject, permissions, audience, expiresInSeconds }) => {
            if (audience !== 'orders' || expiresInSeconds < 0) return [401, undefined];
            return permissions.includes('orders.read') ? [200, subject] : [403, undefined];
          }),
        );
      }),
      { numRuns: 20 },
    );
  });
});
