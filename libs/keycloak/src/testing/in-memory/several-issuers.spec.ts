import { Controller, Get, Module, type Type } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { startedApp } from '../../../spec-support/started-app.js';
import {
  Caller,
  AllowClients,
  Authenticated,
  InjectServiceClient,
  KeycloakModule,
  RequireStepUp,
  RequirePermission,
  type MultiIssuerModuleOptions,
  type ServiceClient,
  type VerifiedAccessToken,
} from '../../index.js';
import { addKeycloakSecurity } from '../../entry-points/swagger/index.js';
import {
  KeycloakTestingModule,
  signIn,
  signOut,
  testAccessToken,
  testAuthorizationServer,
  testServices,
} from '../index.js';

const OWN = 'https://sso.example.com/realms/shop';
const PARTNER = 'https://sso.partner.example/realms/partner';

// #region list
const ISSUERS: MultiIssuerModuleOptions = {
  issuers: [
    { issuer: OWN, clientId: 'orders', clientSecret: 'hush' },
    { issuer: PARTNER, clientId: 'shop-orders', clientSecret: 'hush', acceptedScopes: ['orders:read'] },
  ],
};
// #endregion list

@Controller()
class Orders {
  constructor(@InjectServiceClient('stock') private readonly stock: ServiceClient) {}

  @Get('any')
  @Authenticated()
  any(@Caller() { issuer }: VerifiedAccessToken): string {
    return issuer;
  }

  @Get('read')
  @RequirePermission('orders:read')
  read(): string {
    return 'read';
  }

  @Get('admin')
  @RequirePermission('orders:admin')
  admin(): string {
    return 'admin';
  }

  // #region clients
  @Get('own-shop')
  @Authenticated()
  @AllowClients('shop')
  ownShop(): string {
    return 'own shop';
  }

  @Get('partner-shop')
  @Authenticated()
  @AllowClients({ issuer: PARTNER, clientId: 'shop' })
  partnerShop(): string {
    return 'partner shop';
  }
  // #endregion clients

  @Get('strong')
  @RequireStepUp({ acr: 'gold' })
  strong(): string {
    return 'strong';
  }

  @Get('recent')
  @RequireStepUp({ maxAgeSeconds: 60 })
  recent(): string {
    return 'recent';
  }

  @Get('stock')
  @Authenticated()
  async stockOf(@Caller() caller: VerifiedAccessToken): Promise<string> {
    return this.stock.onBehalfOf(caller, 'stock:read').get('/', { responseType: 'text' });
  }
}

const STOCK = { name: 'stock', baseUrl: 'https://stock.example.com' };

const nothing = (): void => undefined;
const SILENT = { log: nothing, warn: nothing, error: nothing };

function start(options: Partial<MultiIssuerModuleOptions> = {}, audience: string | Record<string, string> = 'stock') {
  return startedApp(
    {
      imports: [
        KeycloakTestingModule.forRoot({ ...ISSUERS, ...options }),
        KeycloakModule.forFeature([{ ...STOCK, audience }]),
      ],
      controllers: [Orders],
    },
    SILENT,
  );
}

const boot = (controllers: Type[], imports = [KeycloakTestingModule.forRoot(ISSUERS)]): Promise<unknown> =>
  startedApp({ imports, controllers }, SILENT);

describe('an application with several issuers (RS-26)', () => {
  it('accepts tokens of its issuers, and refuses tokens of other issuers', async () => {
    const { app, get } = await start();
    const [own, partner, other] = [OWN, PARTNER, 'https://sso.example.com/realms/other'].map((issuer) =>
      signIn(app, testAccessToken({ issuer })),
    ) as [string, string, string];
    expect([await get('/any', own), await get('/any', partner), await get('/any', other)]).toEqual([OWN, PARTNER, 401]);
    signOut(app, partner);
    const again = signIn(app, testAccessToken({ issuer: PARTNER, audience: 'orders' }));
    // `orders` is the client id at the other issuer.
    expect([await get('/any', again), await get('/any', own)]).toEqual([401, OWN]);
  });

  it('limits the tokens of another issuer to the accepted scopes', async () => {
    const { app, get } = await start();
    const permissions = ['orders:read', 'orders:admin'];
    const [own, partner] = [OWN, PARTNER].map((issuer) => signIn(app, testAccessToken({ issuer, permissions }))) as [
      string,
      string,
    ];
    expect([await get('/read', own), await get('/admin', own)]).toEqual(['read', 'admin']);
    expect([await get('/read', partner), await get('/admin', partner)]).toEqual(['read', 403]);
  });

  it('interprets a client id in @AllowClients() as a client of the first issuer (RS-08)', async () => {
    const { app, get } = await start();
    const [own, partner] = [OWN, PARTNER].map((issuer) => signIn(app, testAccessToken({ issuer, client: 'shop' }))) as [
      string,
      string,
    ];
    expect([await get('/own-shop', own), await get('/own-shop', partner)]).toEqual(['own shop', 403]);
    expect([await get('/partner-shop', own), await get('/partner-shop', partner)]).toEqual([403, 'partner shop']);
    const another = signIn(app, testAccessToken({ issuer: PARTNER, client: 'another' }));
    expect(await get('/partner-shop', another)).toBe(403);
  });

  it('accepts the acr of another issuer only if acceptedAcr lists it (RS-11)', async () => {
    const login = { acr: 'gold', authenticatedSecondsAgo: 5 };
    const [first, second] = ISSUERS.issuers;
    if (first === undefined || second === undefined) throw new Error('no issuers');
    const outcomes = async (acceptedAcr?: readonly string[]): Promise<unknown> => {
      const { app, get } = await start({ issuers: [first, { ...second, ...(acceptedAcr && { acceptedAcr }) }] });
      const [own, partner] = [OWN, PARTNER].map((issuer) => signIn(app, testAccessToken({ issuer, ...login }))) as [
        string,
        string,
      ];
      return [await get('/strong', own), await get('/strong', partner), await get('/recent', partner)];
    };
    expect(await outcomes()).toEqual(['strong', 401, 'recent']);
    expect(await outcomes(['silver'])).toEqual(['strong', 401, 'recent']);
    expect(await outcomes(['gold'])).toEqual(['strong', 'strong', 'recent']);
  });

  it('accepts tokens of one issuer while another issuer is unreachable', async () => {
    const { app, get } = await start({ maxRetries: 0 });
    const [own, partner] = [OWN, PARTNER].map((issuer) => signIn(app, testAccessToken({ issuer }))) as [string, string];
    testAuthorizationServer(app, PARTNER).fail('refused');
    expect([await get('/any', own), await get('/any', partner)]).toEqual([OWN, 503]);
    testAuthorizationServer(app, PARTNER).recover();
    testAuthorizationServer(app).fail('refused');
    expect(await get('/any', partner)).toBe(PARTNER);
    expect(() => testAuthorizationServer(app, 'https://sso.example.com/realms/other')).toThrow(/no issuer/);
  });

  it('answers 502 if the called service has no client id at the issuer of the caller', async () => {
    const { app, get } = await start({}, { [OWN]: 'stock', [PARTNER]: 'shop-stock' });
    testServices(app).on('stock', 'GET', '/').reply(200, Buffer.from('in stock'));
    const tokens = [OWN, PARTNER].map((issuer) => signIn(app, testAccessToken({ issuer, subject: 'u1' })));
    for (const token of tokens) expect(await get('/stock', token)).toBe('in stock');
    expect(testServices(app).calls.map(({ audience, client }) => [audience, client])).toEqual([
      ['stock', 'orders'],
      ['shop-stock', 'shop-orders'],
    ]);
    const alone = await start({}, 'stock');
    const partner = signIn(alone.app, testAccessToken({ issuer: PARTNER }));
    expect(await alone.get('/stock', partner)).toBe(502);
    expect(testServices(alone.app).calls).toEqual([]);
  });

  it('names all of its issuers in its protected resource metadata (RS-22)', async () => {
    const { app } = await start({ protectedResource: { resource: 'https://orders.example.com' } });
    const { body } = await request(app.getHttpServer()).get('/.well-known/oauth-protected-resource');
    expect(body).toMatchObject({ authorization_servers: [OWN, PARTNER] });
  });

  it('has an OpenAPI document with the scopes that an operation accepts from each issuer', async () => {
    const { app } = await start();
    const document = addKeycloakSecurity(app, SwaggerModule.createDocument(app, new DocumentBuilder().build()));
    expect(document.components?.securitySchemes).toMatchObject({
      keycloak: { flows: { clientCredentials: { tokenUrl: `${OWN}/protocol/openid-connect/token` } } },
      'keycloak-2': {
        flows: {
          clientCredentials: {
            tokenUrl: `${PARTNER}/protocol/openid-connect/token`,
            scopes: { 'orders:read': expect.any(String) },
          },
        },
      },
    });
    expect(document.paths['/read']?.get?.security).toEqual([
      { keycloak: ['orders:read'] },
      { 'keycloak-2': ['orders:read'] },
      { bearer: [] },
    ]);
    // The list `acceptedScopes` of the second issuer does not contain this scope.
    expect(document.paths['/admin']?.get?.security).toEqual([{ keycloak: ['orders:admin'] }, { bearer: [] }]);
    expect(JSON.stringify(document.paths['/partner-shop']?.get?.responses)).toContain(`only shop of ${PARTNER}`);
  });
});

describe('the start with several issuers', () => {
  it('fails if @AllowClients() names an issuer that is not in the list of issuers', async () => {
    @Controller()
    class Misspelt {
      @Get()
      @Authenticated()
      @AllowClients({ issuer: `${PARTNER}s`, clientId: 'shop' })
      read(): void {}
    }
    await expect(boot([Misspelt])).rejects.toThrow(
      /allows shop of https:.*partners, but KeycloakModule\.forRoot has no such issuer/,
    );
  });

  it.each<[string, readonly unknown[]]>([
    ['an empty object', [{}]],
    ['an issuer without a client id', [{ issuer: OWN }]],
    ['an empty client id', ['']],
    ['an unknown member', [{ issuer: OWN, clientId: 'a', realm: 'x' }]],
    ['null', [null]],
  ])('fails if @AllowClients() gets %s', (_, clients) => {
    expect(() => (AllowClients as (...given: readonly unknown[]) => unknown)(...clients)).toThrow(TypeError);
  });

  it('fails with a hint at the option issuers if the application calls KeycloakModule.forRoot twice', async () => {
    const one = { issuer: OWN, clientId: 'orders', clientSecret: 'hush' };
    @Module({ imports: [KeycloakModule.forRoot({ ...one, issuer: PARTNER })] })
    class Feature {}
    const imports = [KeycloakTestingModule.forRoot(one), Feature] as never;
    await expect(boot([], imports)).rejects.toThrow(/is imported 2 times.*issuers/);
  });

  it('succeeds if several modules import the result of one forRoot call', async () => {
    const one = KeycloakTestingModule.forRoot({ issuer: OWN, clientId: 'orders', clientSecret: 'hush' });
    @Module({ imports: [one] })
    class Feature {}
    await expect(boot([], [one, Feature] as never)).resolves.toBeDefined();
  });
});
