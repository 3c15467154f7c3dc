import { randomBytes } from 'node:crypto';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { proofKeyPair } from '../../../spec-support/proof-keys.js';
import { valkeyRevocations, type ProofKeyOptions } from '../valkey/index.js';
import {
  ConfigurationError,
  KeycloakModule,
  KeycloakStatus,
  RevocationList,
  type KeycloakModuleOptions,
} from '../../index.js';
import {
  keycloakEvents,
  sharedSignals,
  RevocationEventsModule,
  type Signals,
  type SignalSource,
  type RevocationEventsModuleOptions,
} from './index.js';

const options = { issuer: 'https://sso.example.com/realms/shop', clientId: 'shop', clientSecret: 'hush' };
const nothing = (): void => undefined;
const SILENT = { log: nothing, warn: nothing, error: nothing };

let polls = 0;
let signals: Signals;
const source: SignalSource = {
  name: 'spec',
  connect: () => ({
    poll: async () => {
      polls += 1;
      return signals;
    },
  }),
};

const apps: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
};

// #region module
@Module({
  imports: [
    KeycloakModule.forRoot({ ...options, introspectionTtlWithEventsSeconds: 300 }),
    RevocationEventsModule.forRoot({ sources: [keycloakEvents()], pollSeconds: 1 }),
  ],
})
class AppModule {}
// #endregion module

// #region shared-signals
@Module({
  imports: [
    KeycloakModule.forRoot({ ...options, introspectionTtlWithEventsSeconds: 60 }),
    RevocationEventsModule.forRoot({ sources: [sharedSignals()] }),
  ],
})
class ListeningModule {}
// #endregion shared-signals

describe('RevocationEventsModule', () => {
  it.each([AppModule, ListeningModule])('compiles the example module of the guide', async (made) => {
    const module = await Test.createTestingModule({ imports: [made] })
      .setLogger(SILENT)
      .compile();
    expect(module.get(KeycloakStatus, { strict: false }).read().signals).toEqual({ state: 'none' });
  });

  it('polls the source while the application runs, and applies the denials', async () => {
    polls = 0;
    signals = { denials: [{ sid: 's1' }], rechecks: [], isWhole: true, isHealthy: true };
    const imports = [
      KeycloakModule.forRoot(options),
      RevocationEventsModule.forRoot({ sources: [source], pollSeconds: 0.2 }),
    ];
    const module = await Test.createTestingModule({ imports }).setLogger(SILENT).compile();
    expect(polls).toBe(0);
    const app = module.createNestApplication();
    apps.push(app);
    await app.init();
    await until(() => polls > 1);
    expect(app.get(RevocationList).size).toBe(1);
    expect(app.get(KeycloakStatus).read().signals).toMatchObject({ state: 'healthy' });
    await app.close();
    const asked = polls;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(polls).toBe(asked);
  });

  it('accepts options from a factory, and rejects invalid options', async () => {
    const module = (pollSeconds: number) =>
      Test.createTestingModule({
        imports: [
          KeycloakModule.forRoot(options),
          RevocationEventsModule.forRootAsync({ useFactory: async () => ({ sources: [source], pollSeconds }) }),
        ],
      })
        .setLogger(SILENT)
        .compile();
    await expect(module(1)).resolves.toBeDefined();
    await expect(module(60)).rejects.toThrow('pollSeconds must be a number from 0.2 to 10');
  });

  it('prevents the start if a proof would expire before the next poll', async () => {
    const module = (pollSeconds: number, introspectionTtlWithEventsSeconds?: number) => {
      const ttl = { introspectionTtlSeconds: 2, introspectionTtlWithEventsSeconds };
      const root = KeycloakModule.forRoot({ ...options, ...ttl } as KeycloakModuleOptions);
      const imports = [root, RevocationEventsModule.forRoot({ sources: [source], pollSeconds })];
      return Test.createTestingModule({ imports }).setLogger(SILENT).compile();
    };
    await expect(module(2, 300)).rejects.toThrow('pollSeconds must be less than introspectionTtlSeconds (2)');
    await expect(module(1.9, 300)).resolves.toBeDefined();
    await expect(module(2)).resolves.toBeDefined();
  });

  it('prevents the start if the channel has no private key for proofs (RS-30)', async () => {
    const started = (proofs: ProofKeyOptions): Promise<unknown> => {
      const keys = [randomBytes(32).toString('base64')];
      const revocationChannel = valkeyRevocations({ url: 'valkey://127.0.0.1:9', keys, proofs });
      const imports = [
        KeycloakModule.forRoot({ ...options, allowInsecureRequests: true, revocationChannel }),
        RevocationEventsModule.forRoot({ sources: [source] }),
      ];
      return Test.createTestingModule({ imports }).setLogger(SILENT).compile();
    };
    const { privateKey, publicKeys } = proofKeyPair();
    for (const without of [{}, { publicKeys }]) {
      await expect(started(without)).rejects.toThrow(ConfigurationError);
      await expect(started(without)).rejects.toThrow('so its revocationChannel needs a private key for proofs');
    }
    await expect(started({ privateKey })).resolves.toBeDefined();
  });

  it('requires an import of KeycloakModule.forRoot', async () => {
    const imports = [RevocationEventsModule.forRoot({ sources: [source] })];
    await expect(Test.createTestingModule({ imports }).setLogger(SILENT).compile()).rejects.toThrow(
      /provided by KeycloakModule\.forRoot/,
    );
  });

  it.each<[unknown, string]>([
    [{}, 'sources must be a list of signal sources, such as keycloakEvents()'],
    [{ sources: [] }, 'sources must be a list of signal sources, such as keycloakEvents()'],
    [{ sources: ['events'] }, 'sources must be a list of signal sources, such as keycloakEvents()'],
    [{ sources: [source], pollSeconds: 0 }, 'pollSeconds must be a number from 0.2 to 10'],
    [{ sources: [source], pollSeconds: '1' }, 'pollSeconds must be a number from 0.2 to 10'],
    [{ sources: [source], poll: 1 }, 'unknown option "poll"'],
    [{ sources: [source], client: {} }, 'client.clientId must be given'],
    [{ sources: [source], client: { clientId: 'x\n', clientSecret: 's' } }, 'client.clientId must have no line break'],
    [
      { sources: [source], client: { clientId: 'x', clientSecret: 's\n' } },
      'client.clientSecret must have no line break',
    ],
    [{ sources: [source], client: { clientId: 'x', clientSecret: 7 } }, 'client.clientSecret must be a string'],
    [{ sources: [source], client: { clientId: 'x' } }, 'client must have either clientSecret or clientAuthentication'],
    [{ sources: [source], client: { clientId: 'x', clientSecret: '' } }, 'client.clientSecret must be given'],
    [{ sources: [source], client: { clientId: 'x', secret: 's' } }, 'unknown option "client.secret"'],
    [undefined, 'sources must be a list of signal sources, such as keycloakEvents()'],
  ])('rejects %j', (given, fault) => {
    const make = () => RevocationEventsModule.forRoot(given as RevocationEventsModuleOptions);
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(fault);
  });
});
