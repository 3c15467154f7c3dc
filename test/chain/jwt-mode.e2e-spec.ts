import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseServerTiming } from 'demo';
import {
  Authenticated,
  KeycloakModule,
  KeycloakStatus,
  MaxIntrospectionAge,
  RevocationList,
  TokenVerification,
} from 'nestjs-keycloak-s2s';
import type { Recheck } from 'nestjs-keycloak-s2s/extension';
import { jwtVerification } from 'nestjs-keycloak-s2s/jwt';
import { claimsOf, SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import {
  describeOnBothServers,
  describeOnKeycloak,
} from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import {
  clientCredentials,
  exchangeForB,
  login,
  logout,
  revoke,
  textOf,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { newSession } from '../support/new-session.js';
import type { RunningService } from '../support/running-service.js';
import { RunningServices } from '../support/running-services.js';

const JWT = { TOKEN_VERIFICATION: 'jwt' };

const answered = async (service: RunningService, token: string): Promise<unknown[]> => {
  const { status, reason } = await service.whoami(token);
  return reason === undefined ? [status] : [status, reason];
};

describeOnBothServers((connect, which) => {
  let server: ContractServer;
  let chain: RunningServices;
  let asking: RunningServices;

  beforeAll(async () => {
    server = await connect();
    chain = await RunningServices.start({ server, variables: JWT });
    asking = await RunningServices.start({ server, only: ['service-b'] });
    for (const service of [chain.a, chain.b, chain.c]) await service.ready();
  });
  afterAll(async () => {
    await asking.stop();
    await chain.stop();
    await server.stop();
  });

  const list = ({ app }: RunningService): RevocationList => app.get(RevocationList, { strict: false });

  describe('a call chain whose services verify signatures', () => {
    it('exchanges the token of a user, and causes no introspection', async () => {
      const user = await server.newUser('order-manager');
      const headers = {
        authorization: `Bearer ${textOf(await login(server, user))}`,
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      };
      const run = () => fetch(`${chain.a.url}/run-service-b`, { headers });
      const { result, calls } = await chain.keycloak.during(run);
      expect(result.status).toBe(200);
      expect(calls.map(({ endpoint, client }) => `${client} ${endpoint}`).toSorted()).toEqual([
        'service-a token',
        'service-b token',
      ]);
      const steps = ({ headers: sent }: Response): string[] =>
        parseServerTiming(sent.get('server-timing') ?? '', 'nobody').map(({ service, step, description = '' }) =>
          `${service}.${step} ${description}`.trimEnd(),
        );
      const expected = (jwt: string, token: string): string[] => [
        `service-a.jwt ${jwt}`,
        `service-a.token-exchange ${token}`,
        'service-a.call service-b 200',
        `service-b.jwt ${jwt}`,
        `service-b.token-exchange ${token}`,
        'service-b.call service-c 200',
        `service-c.jwt ${jwt}`,
        'service-c.total',
        'service-b.total',
        'service-a.total',
      ];
      expect(steps(result)).toEqual(expected('verified', 'requested'));
      const warm = await chain.keycloak.during(run);
      expect([warm.result.status, warm.calls]).toEqual([200, []]);
      expect(steps(warm.result)).toEqual(expected('cached', 'reused'));
    });

    it('refuses a user who does not have the permission', async () => {
      const user = await server.newUser('order-viewer');
      const headers = { authorization: `Bearer ${textOf(await login(server, user))}`, accept: 'application/json' };
      const response = await fetch(`${chain.a.url}/run-service-b`, { headers });
      expect([response.status, ((await response.json()) as { code: unknown }).code]).toEqual([
        403,
        'insufficient_scope',
      ]);
    });
  });

  describe('a token', () => {
    it('is refused if it is for another service, an ID token or a refresh token (RS-06, RS-08, RS-17)', async () => {
      const first = await login(server, await server.newUser('order-manager'));
      const [atA, id, refresh] = [textOf(first), textOf(first, 'id_token'), textOf(first, 'refresh_token')];
      expect(await answered(chain.a, atA)).toEqual([200]);
      expect(await answered(chain.b, atA)).toEqual([401, 'other_audience']);
      expect(await answered(chain.a, id)).toEqual([
        401,
        expect.stringMatching(/^(other_audience|not_an_access_token)$/),
      ]);
      // Keycloak signs refresh tokens with its own HMAC secret.
      expect(await answered(chain.a, refresh)).toEqual([401, 'algorithm_not_allowed']);
    });

    it('is refused without a call to Keycloak if another realm issued the token (RS-17)', async () => {
      const { calls, result } = await chain.keycloak.during(async () =>
        answered(chain.a, await server.administrator.token()),
      );
      expect(result).toEqual([401, 'signing_key_unknown']);
      expect(calls).toEqual([]);
    });

    it('is refused if the payload or the signature was changed (RS-17)', async () => {
      const token = textOf(await login(server, await server.newUser('order-manager')));
      const [header, payload, signature = ''] = token.split('.');
      const others = { ...claimsOf(token), aud: ['service-b'], scope: 'orders.approve' };
      const forged = `${header}.${Buffer.from(JSON.stringify(others)).toString('base64url')}.${signature}`;
      expect(await answered(chain.b, forged)).toEqual([401, 'signature_invalid']);
      expect(await answered(chain.a, `${header}.${payload}.${signature.slice(0, -8)}AAAAAAAA`)).toEqual([
        401,
        'signature_invalid',
      ]);
    });

    it('is refused with the reason lightweight_token if the token is lightweight', async () => {
      const attributes = { 'client.use.lightweight.access.token.enabled': 'true' };
      const client = await server.newClient('login', attributes);
      const user = await server.newUser('order-manager');
      const token = textOf(await login(server, user, 'orders.read', client));
      expect(claimsOf(token)).not.toHaveProperty('sub');
      expect(await answered(chain.a, token)).toEqual([401, 'lightweight_token']);
      expect(chain.printed()).toContain('Keycloak issues lightweight access tokens to ');
    });

    // At the embedded server, the introspection result of a lightweight token contains no audience.
    if (which === 'keycloak')
      it('is accepted by a service that introspects tokens, even if the token is lightweight', async () => {
        const attributes = { 'client.use.lightweight.access.token.enabled': 'true' };
        const client = await server.newClient('login', attributes);
        const token = textOf(await login(server, await server.newUser('order-manager'), 'orders.read', client));
        const own = await RunningServices.start({ server, only: ['service-a'] });
        const byIntrospection = await answered(own.a, token);
        await own.stop();
        expect(byIntrospection).toEqual([200]);
      });
  });

  describe('a token after a denial or a recheck', () => {
    it('is refused immediately after a denial of the session (RS-13)', async () => {
      const { atB, sid } = await newSession(server);
      expect(await answered(chain.b, atB)).toEqual([200]);
      list(chain.b).deny({ sid });
      expect(await answered(chain.b, atB)).toEqual([401, 'revoked']);
    });

    it.each<[string, (sid: string, token: string) => Recheck]>([
      ["the token's session", (sid) => ({ sid })],
      ["the token's user", (_, token) => ({ sub: String(claimsOf(token)['sub']) })],
      ["the token's client", () => ({ clientId: 'service-a' })],
      ['everything', () => 'everything'],
    ])('is introspected after a recheck of %s (RS-13)', async (_, about) => {
      // Starts a separate service, because a recheck also affects tokens that are issued shortly afterwards.
      const services = await RunningServices.start({ server, only: ['service-b'], variables: JWT });
      const { b, keycloak } = services;
      const { atB, sid, refreshToken } = await newSession(server);
      const seen = [await answered(b, atB)];
      await logout(server, refreshToken);
      seen.push(await answered(b, atB));
      list(b).recheck(about(sid, atB));
      const { result, calls } = await keycloak.during(() => answered(b, atB));
      await services.stop();
      expect([...seen, result]).toEqual([[200], [200], [401, 'inactive']]);
      expect(calls.map(({ endpoint, client }) => `${client} ${endpoint}`)).toEqual(['service-b token/introspect']);
    });
  });

  describe('a service that verifies signatures', () => {
    type Event = (session: { username: string; atB: string; sid: string; refreshToken: string }) => Promise<unknown>;

    it.each<[string, Event]>([
      ['the revocation of the token', ({ atB }) => revoke(server, 'service-a', atB)],
      ['the end of the session', ({ refreshToken }) => logout(server, refreshToken)],
      ['an administrator disables the user', ({ username }) => server.disableUser(username)],
    ])('accepts the token until its expiry despite this change: %s (docs/verification.md)', async (_, happens) => {
      const username = await server.newUser('order-manager');
      const first = await login(server, username);
      const atB = await exchangeForB(server, textOf(first));
      const session = {
        username,
        atB,
        sid: String(claimsOf(atB)['sid']),
        refreshToken: textOf(first, 'refresh_token'),
      };
      for (const services of [chain, asking]) expect(await answered(services.b, atB)).toEqual([200]);
      await happens(session);
      expect(await answered(asking.b, atB)).toEqual([401, 'inactive']);
      expect(await answered(chain.b, atB)).toEqual([200]);
    });

    it('reports the role of a user even after Keycloak has removed the role', async () => {
      const username = await server.newUser('order-manager');
      const atB = await exchangeForB(server, textOf(await login(server, username)));
      await server.takeRole(username, 'order-manager');
      const said = async ({ b }: RunningServices) => {
        const response = await fetch(`${b.url}/api/whoami`, { headers: { authorization: `Bearer ${atB}` } });
        const { roles, permissions } = (await response.json()) as Record<'roles' | 'permissions', string[]>;
        return [roles.includes('order-manager'), permissions.includes('orders.approve')];
      };
      expect([await said(chain), await said(asking)]).toEqual([
        [true, true],
        [false, true],
      ]);
    });

    it('accepts the token of a client even after an administrator has disabled the client', async () => {
      const client = await server.newClient('service');
      const token = textOf(await clientCredentials(server, `${client}:the-secret`, 'orders.approve'));
      for (const services of [chain, asking]) expect(await answered(services.b, token)).toEqual([200]);
      await server.disableClient(client);
      expect(await answered(asking.b, token)).toEqual([401, 'inactive']);
      expect(await answered(chain.b, token)).toEqual([200]);
    });
  });

  it('verifies signatures, but introspects tokens on a route that requires introspection (RS-13)', async () => {
    // #region routes
    @Controller()
    class Routes {
      @Get('stock')
      @Authenticated()
      stock(): string {
        return 'by the way of the module';
      }

      @Get('reports')
      @Authenticated()
      @TokenVerification('introspection')
      reports(): string {
        return 'Keycloak is asked, or was within introspectionTtlSeconds';
      }

      @Get('payments')
      @Authenticated()
      @MaxIntrospectionAge({ seconds: 0 })
      payments(): string {
        return 'Keycloak was asked just now';
      }
    }
    // #endregion routes
    const { baseUrl, issuer } = server;
    const options = {
      issuer,
      internalServerUrl: baseUrl,
      clientId: 'service-a',
      clientSecret: SECRETS['service-a'],
      allowInsecureRequests: true,
    };
    @Module({
      imports: [
        // #region module
        KeycloakModule.forRoot({ ...options, verification: 'jwt', jwt: jwtVerification() }),
        // #endregion module
      ],
      controllers: [Routes],
    })
    class Small {}
    const app = await NestFactory.create(Small, { logger: false });
    await app.listen(0, '127.0.0.1');
    const get = async (path: string, token: string): Promise<number> =>
      (await fetch(`${await app.getUrl()}/${path}`, { headers: { authorization: `Bearer ${token}` } })).status;
    const { atA, refreshToken } = await newSession(server);
    const all = async (): Promise<number[]> => [
      await get('stock', atA),
      await get('payments', atA),
      await get('reports', atA),
    ];
    expect(await all()).toEqual([200, 200, 200]);
    await logout(server, refreshToken);
    expect(await all()).toEqual([200, 401, 401]);
    expect(app.get(KeycloakStatus).read().caches.verifiedJwts).toBe(1);
    await app.close();
  });
});

describeOnKeycloak('a rotation of the signing keys of a real Keycloak', () => {
  let keycloak: ContractServer;
  let services: RunningServices;

  beforeAll(async () => {
    keycloak = await connectToKeycloak();
    services = await RunningServices.start({ server: keycloak, only: ['service-a'], variables: JWT });
  });
  afterAll(async () => {
    await services.stop();
    await keycloak.stop();
  });

  const keyProvider = async (providerId: string, config: object): Promise<object> => {
    const { id } = await keycloak.administrator.read<{ id: string }>('');
    const priority = [String(Math.floor(Date.now() / 1000))];
    return {
      name: `${providerId}-${priority[0]}`,
      parentId: id,
      providerId,
      providerType: 'org.keycloak.keys.KeyProvider',
      config: { priority, enabled: ['true'], active: ['true'], ...config },
    };
  };
  const algOf = (token: string): unknown =>
    (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { alg: unknown }).alg;

  it('leaves tokens of the old key and of the new key valid (RS-17)', async () => {
    const user = await keycloak.newUser('order-manager');
    const before = textOf(await login(keycloak, user));
    expect(await answered(services.a, before)).toEqual([200]);
    // Does not remove the new key, because other specs use tokens that this key has signed.
    await keycloak.administrator.create(
      '/components',
      await keyProvider('rsa-generated', { keySize: ['2048'], algorithm: ['RS256'] }),
    );
    const after = textOf(await login(keycloak, user));
    expect(after.split('.')[0]).not.toBe(before.split('.')[0]);
    expect([await answered(services.a, after), await answered(services.a, before)]).toEqual([[200], [200]]);
  });

  it.each<[string, string, object]>([
    ['PS256', 'rsa-generated', { keySize: ['2048'], algorithm: ['PS256'] }],
    ['ES256', 'ecdsa-generated', { ecdsaEllipticCurveKey: ['P-256'] }],
    ['EdDSA', 'eddsa-generated', { eddsaEllipticCurveKey: ['Ed25519'] }],
  ])(
    'to %s makes the service accept tokens of the new key until Keycloak withdraws the key (RS-17)',
    async (algorithm, providerId, config) => {
      const user = await keycloak.newUser('order-manager');
      const client = await keycloak.newClient('login', { 'access.token.signed.response.alg': algorithm });
      const others = textOf(await login(keycloak, user));
      const provider = await keyProvider(providerId, config);
      const token = await keycloak.administrator.having('/components', provider, async () => {
        const signed = textOf(await login(keycloak, user, 'orders.read', client));
        expect(algOf(signed)).toBe(algorithm);
        expect(await answered(services.a, signed)).toEqual([200]);
        return signed;
      });
      // A token with an unknown `kid` makes the service fetch the keys again.
      const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: `no-such-key-${algorithm}` })).toString(
        'base64url',
      );
      const junk = `${header}.${token.split('.')[1]}.AAAA`;
      expect(await answered(services.a, junk)).toEqual([401, 'signing_key_unknown']);
      expect(await answered(services.a, token)).toEqual([401, 'signing_key_unknown']);
      expect(await answered(services.a, others)).toEqual([200]);
    },
  );
});
