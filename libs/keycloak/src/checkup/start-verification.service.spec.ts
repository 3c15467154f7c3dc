import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger, Module, type INestApplication } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Test } from '@nestjs/testing';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { until } from '../../../../test/support/until.js';
import { CLIENT_SECRET, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import {
  ConfigurationError,
  KeycloakModule,
  StartVerificationError,
  type ClientCredentials,
  type IssuerOptions,
  type KeycloakModuleOptions,
  type ServiceScopes,
} from '../index.js';
import type { Checkup } from './checkup.js';
import { StartVerification } from './start-verification.service.js';
import { resolveKeycloakOptions } from '../options/keycloak.options.js';

type IssuerOfClient = IssuerOptions & ClientCredentials;

let realm: RunningAuthorizationServer;
beforeAll(async () => {
  realm = await startTestRealm();
});
afterAll(() => realm.stop());
afterEach(() => void jest.restoreAllMocks());

async function start(
  options: Partial<KeycloakModuleOptions>,
  scopes: readonly string[] | ServiceScopes = [],
): Promise<void> {
  @Module({
    imports: [
      KeycloakModule.forRoot({
        issuer: realm.issuer,
        clientId: 'service-a',
        clientSecret: CLIENT_SECRET,
        allowInsecureRequests: true,
        verifyAtStart: true,
        maxRetries: 0,
        ...options,
      }),
      KeycloakModule.forFeature([{ name: 'b', baseUrl: 'http://127.0.0.1:9', audience: 'service-b', scopes }]),
    ],
  })
  class TestModule {}
  const app = (await Test.createTestingModule({ imports: [TestModule] }).compile()).createNestApplication();
  app.useLogger(false);
  try {
    await app.init();
  } finally {
    await app.close();
  }
}

describe('verifyAtStart', () => {
  it('lets the application start if the settings match Keycloak', async () => {
    const starting = start({}, { asService: ['orders.approve'], onBehalfOf: ['orders.approve'] });
    await expect(starting).resolves.toBeUndefined();
  });

  it('sends no requests if verifyAtStart is false', async () => {
    realm.control.calls.reset();
    await start({ verifyAtStart: false, clientSecret: 'wrong' });
    expect(realm.control.calls.introspection).toBe(0);
    expect(realm.control.calls.discovery).toBe(0);
  });

  it.each<[string, Partial<KeycloakModuleOptions>, readonly string[], RegExp]>([
    [
      'a wrong secret',
      { clientSecret: 'not-its-password' },
      [],
      /Keycloak refuses the credentials of service-a: answered_401/,
    ],
    ['a scope that is not assigned', {}, ['analytics.run'], /analytics\.run is not assigned to service-a/],
    ['a scope that does not exist', {}, ['orders.aprove'], /The realm lists no client scope orders\.aprove/],
  ])('stops the start because of %s', async (_, options, scopes, message) => {
    const starting = start(options, scopes);
    await expect(starting).rejects.toThrow(message);
    await expect(starting).rejects.toBeInstanceOf(StartVerificationError);
    await expect(starting).rejects.toBeInstanceOf(ConfigurationError);
    await expect(starting).rejects.not.toThrow('not-its-password');
  });

  it('lets the application start without Keycloak, and logs that the settings are unverified', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await start({ internalServerUrl: 'http://127.0.0.1:9' });
    expect(error).toHaveBeenCalledWith({
      message: expect.stringMatching(
        /^The settings could not be verified\. Keycloak is unreachable .*ECONNREFUSED/,
      ) as unknown,
      hint: expect.any(String) as unknown,
    });
  });

  it.each(['token', 'discovery'] as const)(
    'lets the application start while the %s endpoint is overloaded',
    async (endpoint) => {
      const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
      for (const status of [503, 429] as const) {
        realm.control.fault(endpoint, { kind: 'status', status });
        try {
          await start({}, { asService: ['orders.approve'] });
        } finally {
          realm.control.fault(endpoint, undefined);
        }
      }
      expect(error).toHaveBeenCalledTimes(2);
    },
  );

  it('warns about http: in production, even if verifyAtStart is false (row 9)', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const { NODE_ENV } = process.env;
    process.env['NODE_ENV'] = 'production';
    try {
      for (const verifyAtStart of [false, true]) {
        warn.mockClear();
        await start({ verifyAtStart });
        expect(warn).toHaveBeenCalledWith({
          message: expect.stringMatching(/^The connection to Keycloak is not encrypted/) as unknown,
          hint: expect.stringContaining('allowInsecureRequests') as unknown,
        });
      }
    } finally {
      process.env['NODE_ENV'] = NODE_ENV;
    }
  });

  it('logs a warning for a finding that is not an error', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    await start({ minRemainingLifetimeSeconds: 200 });
    expect(warn).toHaveBeenCalledWith(
      expect.objectContaining({ message: expect.stringContaining('Tokens of this service live 300 s') as unknown }),
    );
  });
});

describe('verifyAtStart in the background', () => {
  const logged: unknown[] = [];
  const logger = { log: () => undefined, warn: () => undefined, error: (line: unknown) => void logged.push(line) };
  let app: INestApplication | undefined;
  afterEach(async () => {
    await app?.close();
    logged.length = 0;
  });

  async function startLater(options: Partial<KeycloakModuleOptions>): Promise<void> {
    const module = KeycloakModule.forRoot({
      issuer: realm.issuer,
      clientId: 'service-a',
      clientSecret: CLIENT_SECRET,
      allowInsecureRequests: true,
      verifyAtStart: 'background',
      maxRetries: 0,
      ...options,
    });
    app = (await Test.createTestingModule({ imports: [module] }).compile()).createNestApplication();
    app.useLogger(logger);
    realm.control.calls.reset();
    await app.init();
  }

  it.each([
    [undefined, 'background'],
    ['production', 'background'],
    ['development', 'background'],
    ['test', false],
  ])('is the default with NODE_ENV %s: %s', (nodeEnv, due) => {
    const { NODE_ENV } = process.env;
    if (nodeEnv === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = nodeEnv;
    try {
      const given = { issuer: 'https://sso.test/realms/r', clientId: 'orders', clientSecret: 'x' };
      expect(resolveKeycloakOptions(given).verifyAtStart).toBe(due);
    } finally {
      process.env['NODE_ENV'] = NODE_ENV;
    }
  });

  it('is refused with any other value', () => {
    const module = (): unknown =>
      resolveKeycloakOptions({
        issuer: realm.issuer,
        clientId: 'a',
        clientSecret: 'x',
        verifyAtStart: 'later' as never,
      });
    expect(module).toThrow("verifyAtStart must be true, false or 'background'");
  });

  it('sends only one discovery request and one introspection if Keycloak accepts the settings', async () => {
    await startLater({});
    await until(() => realm.control.calls.introspection === 1);
    await app?.close();
    expect(realm.control.calls).toMatchObject({ discovery: 1, introspection: 1 });
    expect(logged).toEqual([]);
  });

  it.each<[string, () => Partial<KeycloakModuleOptions>, RegExp]>([
    [
      'a wrong secret',
      () => ({ clientSecret: 'not-its-password' }),
      /^Keycloak does not accept these settings\. Keycloak refuses the credentials of service-a: answered_401/,
    ],
    [
      'a wrong realm',
      () => ({ issuer: `${realm.issuer}-2` }),
      /^Keycloak does not accept these settings\. Keycloak has no realm at .*-2\.$/,
    ],
    [
      'a wrong host',
      () => ({ internalServerUrl: 'http://127.0.0.1:9' }),
      /^The settings could not be verified\. Keycloak is unreachable .*ECONNREFUSED/,
    ],
  ])('starts with %s, and logs one line that says how to correct the fault', async (_, options, message) => {
    await startLater(options());
    await until(() => logged.length > 0);
    await app?.close();
    expect(logged).toEqual([
      { message: expect.stringMatching(message) as unknown, hint: expect.any(String) as unknown },
    ]);
    expect(JSON.stringify(logged)).not.toContain('not-its-password');
  });

  it('logs an unexpected error without its secrets, because an unhandled rejection would end the process', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const checkup: Pick<Checkup, 'weaknesses' | 'runBriefly' | 'cleanse'> = {
      weaknesses: () => Promise.resolve([]),
      runBriefly: () => Promise.reject(new Error('a fault with not-its-password')),
      cleanse: (sentence) => sentence.replace('not-its-password', '…'),
    };
    await new StartVerification([checkup as Checkup], 'background').onApplicationBootstrap();
    await until(() => error.mock.calls.length > 0);
    expect(error.mock.calls).toEqual([[{ message: 'The settings could not be verified. Error: a fault with …' }]]);
  });

  it.each(['/.well-known/openid-configuration', '/introspect'])(
    'delays neither the start nor the shutdown if %s hangs',
    async (hanging) => {
      const server = createServer((request, response) => {
        if (request.url?.endsWith(hanging) === true) return server.emit('hangs', response);
        const { issuer } = realm;
        const url = issuer.replace(realm.baseUrl, origin);
        const document = { issuer, token_endpoint: `${url}/token`, introspection_endpoint: `${url}/introspect` };
        response.setHeader('content-type', 'application/json').end(JSON.stringify(document));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      try {
        const received = once(server, 'hangs') as Promise<[ServerResponse]>;
        await startLater({ internalServerUrl: origin, timeoutMs: 60_000 });
        const [response] = await received;
        const aborted = once(response, 'close');
        await app?.close();
        await aborted;
        expect(logged).toEqual([]);
      } finally {
        server.closeAllConnections();
        server.close();
      }
    },
  );
});

describe('verifyAtStart with several issuers', () => {
  async function startWith(secrets: readonly [string, string]): Promise<unknown[]> {
    const partner = await startTestRealm();
    const logged: unknown[] = [];
    const logger = { log: () => undefined, warn: () => undefined, error: (line: unknown) => void logged.push(line) };
    const [first, second] = [realm, partner].map(({ issuer }, at) => ({
      issuer,
      clientId: 'service-a',
      clientSecret: secrets[at] ?? '',
      acceptedScopes: [],
    })) as readonly IssuerOfClient[] as [IssuerOfClient, IssuerOfClient];
    const module = KeycloakModule.forRoot({
      issuers: [first, second],
      allowInsecureRequests: true,
      verifyAtStart: true,
      maxRetries: 0,
    });
    const app = (await Test.createTestingModule({ imports: [module] }).compile()).createNestApplication();
    app.useLogger(logger);
    try {
      await app.init();
      return logged;
    } finally {
      await app.close();
      await partner.stop();
    }
  }

  it('prevents the start for a fault of the first issuer, but only logs a fault of the second issuer', async () => {
    await expect(startWith(['wrong', CLIENT_SECRET])).rejects.toThrow(StartVerificationError);
    const logged = JSON.stringify(await startWith([CLIENT_SECRET, 'wrong']));
    expect(logged).toContain('Another issuer does not accept these settings. Keycloak refuses the credentials');
  });
});
