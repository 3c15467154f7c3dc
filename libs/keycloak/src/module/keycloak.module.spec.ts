import { Controller, Get, Module } from '@nestjs/common';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  AuthorizationServerHealth,
  ClientCredentialsTokenProvider,
  getServiceClientToken,
  KeycloakGuard,
  KeycloakModule,
  KeycloakOptionsError,
  Public,
  KeycloakExceptionFilter,
  RevocationList,
  TokenExchangeClient,
  type KeycloakModuleOptions,
  type MultiIssuerModuleOptions,
  type ServiceClient,
  type ServiceRegistration,
} from '../index.js';
import { KEYCLOAK } from './keycloak.module-definition.js';
import { resolveKeycloakOptions } from '../options/keycloak.options.js';

const SECRET = 'the-secret-4711';
const OPTIONS: KeycloakModuleOptions = {
  issuer: 'https://sso.example.com/realms/shop',
  clientId: 'service-b',
  clientSecret: SECRET,
};
const SERVICE_C = { name: 'service-c', baseUrl: 'https://service-c.internal', audience: 'service-c' };

@Controller()
@Public()
class TestController {
  @Get()
  get(): string {
    return 'ok';
  }
}

it('forFeature without forRoot fails with a message that says where to import forRoot', async () => {
  const module = Test.createTestingModule({ imports: [KeycloakModule.forFeature([SERVICE_C])] });
  await expect(module.compile()).rejects.toThrow(
    /provided by KeycloakModule\.forRoot\(\) or forRootAsync\(\) in the root module/,
  );
});

describe('the providers of KeycloakModule', () => {
  let module: TestingModule;
  beforeAll(async () => {
    module = await Test.createTestingModule({
      imports: [KeycloakModule.forRoot(OPTIONS), KeycloakModule.forFeature([SERVICE_C])],
      controllers: [TestController],
    }).compile();
  });
  afterAll(() => module.close());

  it.each([
    ClientCredentialsTokenProvider,
    TokenExchangeClient,
    AuthorizationServerHealth,
    KeycloakGuard,
    KeycloakExceptionFilter,
    RevocationList,
    getServiceClientToken('service-c'),
  ])('include %p, whose printed form contains no secret (RS-23)', (token) => {
    const provider: unknown = module.get(token, { strict: false });
    expect(inspect(provider, { depth: 20, showHidden: true })).not.toContain(SECRET);
    expect(JSON.stringify(provider)).not.toContain(SECRET);
  });

  it('include a service whose factory injects an export of another module', async () => {
    @Module({ providers: [{ provide: 'BASE_URL', useValue: SERVICE_C.baseUrl }], exports: ['BASE_URL'] })
    class SettingsModule {}
    const services = KeycloakModule.forFeature([
      {
        name: 'service-c',
        imports: [SettingsModule],
        inject: ['BASE_URL'],
        useFactory: (baseUrl: string) => ({ baseUrl, audience: 'service-c' }),
      },
    ]);
    const own = await Test.createTestingModule({ imports: [KeycloakModule.forRoot(OPTIONS), services] }).compile();
    expect(own.get<ServiceClient>(getServiceClientToken('service-c'), { strict: false }).name).toBe('service-c');
  });

  it('include a service client whose printed form contains no secret', () => {
    const client: ServiceClient = module.get(getServiceClientToken('service-c'), { strict: false });
    expect(inspect(client.asService('analytics.run'), { depth: 20 })).not.toContain(SECRET);
  });
});

describe('the validation of options', () => {
  const boot = async (options: unknown, services: readonly unknown[] = []): Promise<unknown> => {
    @Module({
      imports: [
        KeycloakModule.forRootAsync({ useFactory: () => options as KeycloakModuleOptions }),
        KeycloakModule.forFeature(services as ServiceRegistration[]),
      ],
    })
    class TestModule {}
    return Test.createTestingModule({ imports: [TestModule] }).compile();
  };

  it('rejects options without credentials, in TypeScript and at the start', () => {
    const { issuer, clientId } = OPTIONS;
    // @ts-expect-error: no credentials
    const isMissing: KeycloakModuleOptions = { issuer, clientId };
    // @ts-expect-error: the second issuer has no credentials
    const isMissingThere: MultiIssuerModuleOptions = { issuers: [OPTIONS, { issuer, clientId }] };
    // @ts-expect-error: the variable may be unset
    const isMaybeMissing: KeycloakModuleOptions = { issuer, clientId, clientSecret: process.env['CLIENT_SECRET'] };
    const fault = /clientSecret or clientAuthentication must be given/;
    for (const options of [isMissing, isMissingThere, isMaybeMissing]) {
      expect(() => resolveKeycloakOptions(options)).toThrow(fault);
    }
  });

  it('accepts valid options', async () => {
    await expect(boot(OPTIONS, [SERVICE_C])).resolves.toBeDefined();
  });

  it.each([undefined, null, {}])('lists each missing option of %p', async (options) => {
    await expect(boot(options)).rejects.toThrow(
      /issuer must be given[^]*clientId must be given[^]*clientSecret or clientAuthentication must/,
    );
  });

  it.each([undefined, null])('lists each missing option if forRoot gets %p', async (options) => {
    const booted = async () =>
      Test.createTestingModule({ imports: [KeycloakModule.forRoot(options as never)] }).compile();
    await expect(booted()).rejects.toThrow('issuer must be given');
  });

  it.each([undefined, {}, { imports: [] }])('rejects forRootAsync without a source of options: %p', (options) => {
    expect(() => KeycloakModule.forRootAsync(options as never)).toThrow(
      /^KeycloakModule\.forRootAsync has a fault:\n {2}- useFactory, useClass or useExisting must be given$/,
    );
  });

  it('rejects a second forRoot, even if the options are equal', async () => {
    const imports = [KeycloakModule.forRoot(OPTIONS), KeycloakModule.forRoot(OPTIONS)];
    const booted = Test.createTestingModule({ imports }).compile();
    await expect(booted).rejects.toThrow('it is imported 2 times. Call forRoot or forRootAsync once');
  });

  it('rejects a second copy of the package, and recommends npm ls', async () => {
    const copy = { provide: Symbol(KEYCLOAK.description), useValue: {} };
    @Module({ imports: [KeycloakModule.forRoot(OPTIONS)], providers: [copy] })
    class TestModule {}
    await expect(Test.createTestingModule({ imports: [TestModule] }).compile()).rejects.toThrow(
      /is imported 2 times.*npm ls nestjs-keycloak-s2s/,
    );
  });

  it.each<[string, object]>([
    ['unknown option "exposeRefusalReason"', { exposeRefusalReason: true }],
    ['internalServerUrl must end before /realms/', { internalServerUrl: 'https://keycloak.internal/realms/shop' }],
    ['issuer must be a normalized URL', { issuer: 'https://SSO.example.com/realms/shop' }],
    [
      'internalServerUrl must be an http(s) URL without credentials',
      { internalServerUrl: 'https://:pw@keycloak.internal' },
    ],
  ])('reports the fault: %s', async (fault, change) => {
    await expect(boot({ ...OPTIONS, ...change })).rejects.toThrow(fault);
  });

  it.each<[string, readonly unknown[]]>([
    ['name of service 1 must be given', [{ ...SERVICE_C, name: undefined }]],
    ['name of service 1 must be given', [{ ...SERVICE_C, name: '' }]],
    ['name "service-c" is given twice', [SERVICE_C, SERVICE_C]],
    ['baseUrl must be given', [{ name: 'service-c', useFactory: () => undefined }]],
    ['unknown option "timeout"', [{ ...SERVICE_C, timeout: 1 }]],
  ])('reports the fault of a registered service: %s', async (fault, services) => {
    const booted = (async () => boot(OPTIONS, services))();
    await expect(booted).rejects.toThrow(KeycloakOptionsError);
    await expect(booted).rejects.toThrow(fault);
  });
});
