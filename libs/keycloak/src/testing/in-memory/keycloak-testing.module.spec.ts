import { Controller, Get, Injectable, Module, type INestApplication, type ModuleMetadata } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  Caller,
  AccessTokenVerifier,
  ClientCredentialsTokenProvider,
  KeycloakModule,
  KeycloakStatus,
  RequirePermission,
  RevocationList,
  TokenExchangeClient,
  VerifiedAccessToken,
  type KeycloakModuleOptions,
  type KeycloakOptionsFactory,
} from '../../index.js';
import { clientSecretFrom } from '../../client-authentication/client-secret.js';
import { makeVerifiedAccessToken } from '../../protocol/verified-access-token.js';
import { testAccessToken } from '../test-access-token.js';
import { testTokenChannel } from '../test-token-channel.js';
import { tokenText } from '../token-text.js';
import { signIn, signOut, testAuthorizationServer, testServices } from './application-under-test.js';
import { KeycloakTestingModule } from './keycloak-testing.module.js';

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

@Controller()
class OrdersController {
  @Get('orders')
  @RequirePermission('orders.read')
  read(@Caller() token: VerifiedAccessToken): object {
    return { iss: token.issuer, aud: token.audience };
  }
}

const OWN: KeycloakModuleOptions = {
  issuer: 'http://localhost:8080/realms/shop',
  clientId: 'orders',
  clientSecret: 'a secret',
  allowInsecureRequests: true,
};

@Injectable()
class OwnOptions implements KeycloakOptionsFactory {
  createKeycloakOptions(): KeycloakModuleOptions {
    return OWN;
  }
}

const unavailable = (): never => {
  throw new Error('KEYCLOAK_ISSUER is not set');
};

const builderOf = (...imports: NonNullable<ModuleMetadata['imports']>) =>
  Test.createTestingModule({ imports, controllers: [OrdersController] }).setLogger(SILENT);

const apps: INestApplication[] = [];
async function start(module: TestingModule): Promise<INestApplication> {
  const app = module.createNestApplication(new ExpressAdapter());
  apps.push(app);
  return app.init();
}

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

const readOrders = (app: INestApplication, bearer: string): request.Test =>
  request(app.getHttpServer()).get('/orders').auth(bearer, { type: 'bearer' });

const reader = testAccessToken({ permissions: ['orders.read'] });

describe('KeycloakTestingModule.override', () => {
  it.each([
    ['forRoot', KeycloakModule.forRoot(OWN)],
    ['forRootAsync with a factory', KeycloakModule.forRootAsync({ useFactory: async () => OWN })],
    ['forRootAsync with a class', KeycloakModule.forRootAsync({ useClass: OwnOptions })],
  ])('keeps the options of the application: %s', async (_, keycloak) => {
    @Module({ imports: [keycloak] })
    class InsideModule {}
    const app = await start(await KeycloakTestingModule.override(builderOf(InsideModule)).compile());
    const { body } = await readOrders(app, signIn(app, reader)).expect(200);
    expect(body).toEqual({ iss: OWN.issuer, aud: ['orders'] });
  });

  it("uses the given options without a call to the application's options factory", async () => {
    const without = (): TestingModule | Promise<TestingModule> =>
      KeycloakTestingModule.override(builderOf(KeycloakModule.forRootAsync({ useFactory: unavailable }))).compile();
    await expect((async () => without())()).rejects.toThrow('KEYCLOAK_ISSUER is not set');

    const builder = builderOf(KeycloakModule.forRootAsync({ useFactory: unavailable }));
    const app = await start(await KeycloakTestingModule.override(builder, { clientId: 'orders' }).compile());
    await readOrders(app, signIn(app, reader)).expect(200, {
      iss: 'https://keycloak.test/realms/test',
      aud: ['orders'],
    });
  });

  it('returns the testing module builder', async () => {
    const builder = builderOf(KeycloakModule.forRoot(OWN));
    expect(KeycloakTestingModule.override(builder)).toBe(builder);
  });

  it('accepts http: addresses unless the test forbids them, because no request leaves the process', async () => {
    const inventory = { name: 'inventory', baseUrl: 'http://localhost:3001', audience: 'inventory', scopes: ['x'] };
    const overridden = async (options: Partial<KeycloakModuleOptions>): Promise<TestingModule> => {
      const imports = [
        KeycloakModule.forRootAsync({ useFactory: unavailable }),
        KeycloakModule.forFeature([inventory]),
      ];
      return KeycloakTestingModule.override(builderOf(...imports), options).compile();
    };
    for (const options of [{}, { issuer: OWN.issuer as string }]) {
      await expect(overridden(options)).resolves.toBeDefined();
    }
    await expect(overridden({ allowInsecureRequests: false })).rejects.toThrow(/baseUrl must be https:/);
  });

  it("does not change the application's own allowInsecureRequests", async () => {
    const strict = KeycloakModule.forRoot({ ...OWN, allowInsecureRequests: false } as KeycloakModuleOptions);
    await expect((async () => KeycloakTestingModule.override(builderOf(strict)).compile())()).rejects.toThrow(
      /issuer must be https:/,
    );
  });

  it('validates its options in the same way as KeycloakModule', async () => {
    const builder = builderOf(KeycloakModule.forRoot(OWN));
    await expect(
      (async () => KeycloakTestingModule.override(builder, { issuer: 'http://localhost' }).compile())(),
    ).rejects.toThrow(/issuer must end in/);
  });
});

describe('KeycloakTestingModule.forRoot', () => {
  it('guards a single controller in the same way as KeycloakModule', async () => {
    const app = await start(await builderOf(KeycloakTestingModule.forRoot()).compile());
    await request(app.getHttpServer()).get('/orders').expect(401);
    await readOrders(app, signIn(app, testAccessToken())).expect(403);
    const { body } = await readOrders(app, signIn(app, reader)).expect(200);
    expect(body).toEqual({ iss: 'https://keycloak.test/realms/test', aud: ['test-service'] });
  });

  it('rejects an import of KeycloakTestingModule without forRoot', async () => {
    await expect((async () => builderOf(KeycloakTestingModule).compile())()).rejects.toThrow(
      /Import KeycloakTestingModule/,
    );
  });

  it('uses the given client authentication instead of a generated secret', async () => {
    const clientAuthentication = clientSecretFrom(() => Promise.resolve('s'));
    const testing = Test.createTestingModule({ imports: [KeycloakTestingModule.forRoot({ clientAuthentication })] });
    await expect(testing.compile()).resolves.toBeDefined();
  });

  it('accepts the options of KeycloakModule', async () => {
    const permissions = () => ['orders.read'];
    const app = await start(
      await builderOf(KeycloakTestingModule.forRoot({ mapPermissions: permissions, clientId: 'x' })).compile(),
    );
    const { body } = await readOrders(app, signIn(app, testAccessToken())).expect(200);
    expect(body).toMatchObject({ aud: ['x'] });
    await readOrders(app, signIn(app, testAccessToken({ audience: 'test-service' }))).expect(401);
  });

  it('issues tokens that the code of KeycloakModule accepts', async () => {
    const module = await builderOf(KeycloakTestingModule.forRoot()).compile();
    const own = await module.get(ClientCredentialsTokenProvider).getToken('a b');
    expect({ scope: own.scope, seconds: own.lifetimeSeconds }).toEqual({ scope: ['a', 'b'], seconds: 300 });
    const text = signIn(module, testAccessToken({ expiresInSeconds: 100 }));
    const exchanged = await module
      .get(TokenExchangeClient)
      .exchange(testAccessToken({ text }), { audience: 'inventory', scope: 'stock.read' });
    expect(exchanged.lifetimeSeconds).toBeLessThanOrEqual(100);
    expect(exchanged.lifetimeSeconds).toBeGreaterThan(90);
    expect(exchanged.reveal()).not.toBe(text);
  });

  it.each<[string, object, (module: TestingModule) => string]>([
    ['has ended', { code: 'invalid_token' }, (module) => ended(module)],
    [
      'has expired',
      { code: 'invalid_token' },
      (module) => signIn(module, testAccessToken({ expiresInSeconds: -1, grantableScopes: ['stock.read'] })),
    ],
    ['was never signed in', { code: 'invalid_token' }, () => 'made-up'],
    [
      'may not be exchanged for the requested scope',
      { code: 'insufficient_scope', permission: 'stock.read' },
      (module) => signIn(module, testAccessToken({ grantableScopes: ['stock'] })),
    ],
  ])('does not exchange a token that %s', async (_, refusal, signedIn) => {
    const module = await builderOf(KeycloakTestingModule.forRoot()).compile();
    const token = testAccessToken({ text: signedIn(module) });
    await expect(
      module.get(TokenExchangeClient).exchange(token, { audience: 'inventory', scope: 'stock.read' }),
    ).rejects.toMatchObject(refusal);
  });

  const ended = (module: TestingModule): string => {
    const text = signIn(module, testAccessToken());
    signOut(module, text);
    return text;
  };
});

describe('two applications in one process', () => {
  it('share no tokens, sign-outs, injected faults or recorded calls', async () => {
    const one = await start(await builderOf(KeycloakTestingModule.forRoot()).compile());
    const other = await start(await builderOf(KeycloakTestingModule.forRoot()).compile());
    const [atOne, atOther] = [signIn(one, reader), signIn(other, reader)];
    await readOrders(one, atOther).expect(401);
    await readOrders(other, atOne).expect(401);
    expect(() => signOut(other, atOne)).toThrow('signIn() did not return this token for this application');
    testAuthorizationServer(one).fail('refused');
    await readOrders(one, atOne).expect(503);
    await readOrders(other, atOther).expect(200);
    expect(testServices(one)).not.toBe(testServices(other));
  });
});

describe('an application that shares denials', () => {
  const connect = (): never => {
    throw new Error('A test must not connect to the channel');
  };
  const sharing = { ...OWN, revocationChannel: { check: () => undefined, connect } };

  it.each([
    ['forRoot', () => builderOf(KeycloakTestingModule.forRoot(sharing))],
    ['override', () => KeycloakTestingModule.override(builderOf(KeycloakModule.forRoot(sharing)))],
  ])('does not connect to the channel: %s', async (_, builder) => {
    const app = await start(await builder().compile());
    app.get(RevocationList).deny({ sid: 's1' });
    expect(app.get(KeycloakStatus).read().revocationChannel.state).toBe('none');
  });

  it('connects to its channel if it starts with the real KeycloakModule', async () => {
    const module = await builderOf(KeycloakModule.forRoot(sharing)).compile();
    await expect(start(module)).rejects.toThrow('A test must not connect');
  });
});

describe('signIn', () => {
  it('returns a new token at each call, unless testAccessToken() has the option text', async () => {
    const module = await builderOf(KeycloakTestingModule.forRoot()).compile();
    expect(signIn(module, reader)).not.toBe(signIn(module, reader));
    const text = tokenText('alice');
    const token = testAccessToken({ text });
    expect(signIn(module, token)).toBe(text);
    signOut(module, text);
    expect(signIn(module, token)).toBe(text);
    await expect(module.get(AccessTokenVerifier).verify(text)).resolves.toMatchObject({
      clientId: 'test-client',
    });
  });

  it('exchanges a token without grantable scopes for nothing, not even without a scope', async () => {
    const module = await builderOf(KeycloakTestingModule.forRoot()).compile();
    const exchange = (grantableScopes: readonly string[]): Promise<unknown> => {
      const token = testAccessToken({ text: signIn(module, testAccessToken({ grantableScopes })) });
      return module.get(TokenExchangeClient).exchange(token, { audience: 'inventory' });
    };
    await expect(exchange([])).rejects.toMatchObject({ code: 'insufficient_scope' });
    await expect(exchange(['stock.read'])).resolves.toHaveProperty('lifetimeSeconds');
  });

  it('makes a token of testAccessToken() exchangeable only in the same application', async () => {
    const [module, other] = await Promise.all([1, 2].map(() => builderOf(KeycloakTestingModule.forRoot()).compile()));
    const alice = testAccessToken({ subject: 'alice', grantableScopes: ['stock.read'] });
    const exchange = async (at: TestingModule | undefined, scope = 'stock.read'): Promise<unknown> =>
      at?.get(TokenExchangeClient).exchange(alice, { audience: 'inventory', scope });
    await expect(exchange(other)).rejects.toMatchObject({ code: 'invalid_token' });
    signIn(module as TestingModule, alice);
    await expect(exchange(module)).resolves.toMatchObject({ scope: ['stock.read'] });
    await expect(exchange(module, 'stock.adjust')).rejects.toMatchObject({ code: 'insufficient_scope' });
  });

  it("publishes signed-in and exchanged tokens on the leak scanner's channel", async () => {
    const published: unknown[] = [];
    const record = (text: unknown): unknown => published.push(text);
    testTokenChannel.subscribe(record);
    const module = await builderOf(KeycloakTestingModule.forRoot()).compile();
    const text = signIn(module, reader);
    const exchanged = await module
      .get(TokenExchangeClient)
      .exchange(testAccessToken({ text }), { audience: 'inventory', scope: 'stock.read' });
    testTokenChannel.unsubscribe(record);
    expect(published).toEqual(expect.arrayContaining([text, exchanged.reveal()]));
  });

  it('throws an error that explains the setup if KeycloakTestingModule is missing', async () => {
    const real = await builderOf(KeycloakModule.forRoot(OWN)).compile();
    expect(() => signIn(real, reader)).toThrow(/real KeycloakModule[^]*KeycloakTestingModule.override\(/);
    const none = await builderOf().compile();
    expect(() => signIn(none, reader)).toThrow(/no KeycloakModule[^]*KeycloakTestingModule.forRoot\(\)/);
    expect(() => testServices(none)).toThrow(/no KeycloakModule/);
  });

  it('rejects a malformed text, an invalid permission, and a token that testAccessToken() did not make', async () => {
    const module = await builderOf(KeycloakTestingModule.forRoot()).compile();
    const foreign = makeVerifiedAccessToken('text', {
      claims: reader.claims,
      clientId: 'c',
      audience: [],
      permissions: [],
    });
    expect(() => signIn(module, foreign)).toThrow(/accepts only tokens made by testAccessToken/);
    expect(() => signIn(module, testAccessToken({ text: 'the-text' }))).toThrow(/does not look like a token/);
    expect(() => signIn(module, testAccessToken({ permissions: ['order manager'] }))).toThrow(/realm_access/);
  });
});

describe('the testing kit in production', () => {
  const before = process.env['NODE_ENV'];
  afterEach(() => {
    process.env['NODE_ENV'] = before;
  });

  it.each([undefined, '', 'production', 'Production', 'prod', 'staging'])(
    'throws from every function with NODE_ENV %j',
    async (nodeEnv) => {
      const builder = KeycloakTestingModule.override(builderOf(KeycloakModule.forRoot(OWN)));
      const module = await builderOf(KeycloakTestingModule.forRoot()).compile();
      if (nodeEnv === undefined) delete process.env['NODE_ENV'];
      else process.env['NODE_ENV'] = nodeEnv;
      expect(() => testAccessToken()).toThrow(/counts as production/);
      expect(() => KeycloakTestingModule.forRoot()).toThrow(/counts as production/);
      expect(() => KeycloakTestingModule.override(builderOf())).toThrow(/counts as production/);
      expect(() => signIn(module, reader)).toThrow(/counts as production/);
      expect(() => testServices(module)).toThrow(/counts as production/);
      await expect((async () => builder.compile())()).rejects.toThrow(/counts as production/);
    },
  );
});
