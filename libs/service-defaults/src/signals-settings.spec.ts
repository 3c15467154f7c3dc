import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readServiceSettings, type ServiceSettings } from './service-settings.js';
import type { SignalsDescription } from './signals-settings.js';
import { SettingsError, type Environment } from './variables.js';

const SECRET = 'of-my-own-4711';
const KEY = Buffer.from(Array.from({ length: 32 }, (_, at) => at)).toString('base64');

const COMMON: Environment = {
  NODE_ENV: 'production',
  KEYCLOAK_BASE_URL: 'https://sso.example.com',
  KEYCLOAK_REALM: 'shop',
};
const SERVICE: Environment = { ...COMMON, SERVICE_A_CLIENT_SECRET: 'another-of-my-own' };
const LISTENING: Environment = { ...SERVICE, SIGNAL_SOURCES: 'events', SIGNAL_POLLER_CLIENT_SECRET: SECRET };
const PROOF_KEY = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const CHANNEL: Environment = { SHARED_STATE_URL: 'valkeys://valkey.internal', SHARED_DENIAL_KEYS: KEY };
const POLLER: Environment = {
  ...COMMON,
  ...CHANNEL,
  SIGNAL_POLLER_CLIENT_SECRET: SECRET,
  SIGNAL_PROOF_PRIVATE_KEY: PROOF_KEY,
};

function read(environment: Environment, signals: SignalsDescription | 'never' = 'shared'): ServiceSettings<never> {
  const name = signals === 'own' ? 'signal-poller' : 'service-a';
  return readServiceSettings<never>(environment, {
    name,
    port: 3000,
    calls: {},
    ...(signals === 'never' ? {} : { signals }),
  });
}

function faults(environment: Environment, signals?: SignalsDescription): readonly string[] {
  try {
    read(environment, signals);
  } catch (error) {
    if (error instanceof SettingsError) return error.faults;
    throw error;
  }
  return [];
}

const folder = mkdtempSync(join(tmpdir(), 'signals-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fileWith = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

describe('the TTL of cached results while the feed is healthy', () => {
  const long = (change: Environment): unknown =>
    read({ ...SERVICE, ...change }, 'never').keycloak.introspectionTtlWithEventsSeconds;
  const WITH_300 = { INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS: '300' };

  it('is set by a variable of the service', () => {
    expect(long({})).toBeUndefined();
    expect(long({ INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS: ' ' })).toBeUndefined();
    expect(long(WITH_300)).toBe(300);
    expect(long({ ...WITH_300, INTROSPECTION_TTL_SECONDS: '30' })).toBe(300);
  });

  it('is ignored if it equals INTROSPECTION_TTL_SECONDS, or if INTROSPECTION_TTL_SECONDS is 0', () => {
    expect(long({ ...WITH_300, INTROSPECTION_TTL_SECONDS: '300' })).toBeUndefined();
    expect(long({ ...WITH_300, INTROSPECTION_TTL_SECONDS: '0' })).toBeUndefined();
  });

  it.each([
    ['301', '10'],
    ['1.5', '10'],
    ['long', '10'],
    ['29', '30'],
  ])('is refused if it is %s and INTROSPECTION_TTL_SECONDS is %s', (seconds, shortSeconds) => {
    const name = 'INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS';
    const change = { [name]: seconds, INTROSPECTION_TTL_SECONDS: shortSeconds };
    expect(faults({ ...SERVICE, ...change })).toEqual([`${name} must be a whole number from ${shortSeconds} to 300`]);
  });
});

describe('a service that may poll the feed', () => {
  it('ignores the settings of the feed if SIGNAL_SOURCES is not set', () => {
    expect(read(SERVICE)).not.toHaveProperty('signals');
    const silent = { SIGNAL_SOURCES: 'none', SIGNALS_POLL_SECONDS: 'x', SIGNAL_POLLER_CLIENT_SECRET: 'p-secret' };
    expect(read({ ...SERVICE, ...silent })).not.toHaveProperty('signals');
  });

  it('requires a poll interval that is shorter than the validity of a proof', () => {
    const short = { ...LISTENING, INTROSPECTION_TTL_SECONDS: '1', INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS: '300' };
    expect(read(short).signals).toMatchObject({ pollSeconds: 0.5 });
    const [ttl, rare] = [{ INTROSPECTION_TTL_SECONDS: '5' }, { SIGNALS_POLL_SECONDS: '5' }];
    const words = 'SIGNALS_POLL_SECONDS must be less than INTROSPECTION_TTL_SECONDS, which is 5';
    expect(faults({ ...short, ...ttl, ...rare })).toEqual([words]);
    expect(read({ ...short, ...ttl, SIGNALS_POLL_SECONDS: '4.9' }).signals).toMatchObject({ pollSeconds: 4.9 });
    expect(read({ ...LISTENING, ...ttl, ...rare }).signals).toMatchObject({ pollSeconds: 5 });
    expect(read({ ...short, ...rare, INTROSPECTION_TTL_SECONDS: '0' }).signals).toMatchObject({ pollSeconds: 5 });
  });

  it('polls with the client signal-poller, or with the client that SIGNALS_CLIENT_ID names', () => {
    const [own, { signals }] = [read(SERVICE), read(LISTENING)];
    expect(signals).toMatchObject({
      sources: [{ name: 'keycloak_events' }],
      pollSeconds: 1,
      client: { clientId: 'signal-poller', clientSecret: SECRET },
    });
    expect(read(LISTENING).keycloak).toEqual(own.keycloak);
    const other = read({ ...LISTENING, SIGNALS_CLIENT_ID: 'watcher', SIGNALS_POLL_SECONDS: '0.5' }).signals;
    expect(other).toMatchObject({ pollSeconds: 0.5, client: { clientId: 'watcher' } });
  });

  it('accepts only one credential: a secret, a secret file, or a private key', () => {
    const none = { ...LISTENING, SIGNAL_POLLER_CLIENT_SECRET: undefined };
    const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    const [secretFile, keyFile] = [fileWith('secret', SECRET), fileWith('key', String(key))];
    for (const change of [
      { SIGNAL_POLLER_CLIENT_SECRET_FILE: secretFile },
      { SIGNAL_POLLER_CLIENT_KEY_FILE: keyFile },
    ]) {
      const { client } = read({ ...none, ...change }).signals ?? {};
      expect([client?.clientSecret, typeof client?.clientAuthentication?.connect]).toEqual([undefined, 'function']);
    }
    expect(faults({ ...LISTENING, SIGNAL_POLLER_CLIENT_KEY_FILE: keyFile })).toEqual([
      expect.stringMatching(/^SIGNAL_POLLER_CLIENT_SECRET, .* exclude each other$/),
    ]);
    expect(faults(none)).toEqual([expect.stringContaining('SIGNAL_POLLER_CLIENT_SECRET_FILE must be set')]);
  });

  it.each(['shared', 'own'] as const)('accepts a published secret in demo mode only (%s)', (signals) => {
    const demo = { NODE_ENV: 'development', DEMO_MODE: 'true' };
    const published = { ...(signals === 'own' ? POLLER : LISTENING), SIGNAL_POLLER_CLIENT_SECRET: 'p-secret' };
    expect(faults(published, signals)).toEqual([
      expect.stringMatching(/^SIGNAL_POLLER_CLIENT_SECRET is a published demo secret/),
    ]);
    expect(faults({ ...published, ...demo }, signals)).toEqual([]);
  });

  it.each<[Environment, string]>([
    [
      { SIGNAL_SOURCES: 'mail' },
      'SIGNAL_SOURCES must be none, or a list without repetition, separated by spaces, of events',
    ],
    [{ SIGNAL_SOURCES: 'events events' }, 'SIGNAL_SOURCES must be none, or a list without repetition'],
    [{ SIGNAL_SOURCES: 'events none' }, 'SIGNAL_SOURCES must be none, or a list without repetition'],
    [{ SIGNALS_POLL_SECONDS: '0.1' }, 'SIGNALS_POLL_SECONDS must be a number from 0.2 to 10'],
    [{ SIGNALS_POLL_SECONDS: '11' }, 'SIGNALS_POLL_SECONDS must be a number from 0.2 to 10'],
    [{ SIGNALS_POLL_SECONDS: '1e0' }, 'SIGNALS_POLL_SECONDS must be a number from 0.2 to 10'],
  ])('reports the fault in %j without the secret', (change, fault) => {
    const found = faults({ ...LISTENING, ...change });
    expect(found).toEqual([expect.stringContaining(fault)]);
    expect(found.join()).not.toContain(SECRET);
  });
});

describe('a service that never polls', () => {
  it('ignores all settings of the feed except the TTL of cached results', () => {
    const all = { ...LISTENING, SIGNAL_SOURCES: 'nonsense', INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS: '60' };
    const settings = read(all, 'never');
    expect(settings).not.toHaveProperty('signals');
    expect(settings.keycloak.introspectionTtlWithEventsSeconds).toBe(60);
  });
});

describe('a process that only polls', () => {
  it('polls Keycloak by default, and uses its own client', () => {
    const { signals, keycloak } = read(POLLER, 'own');
    expect(signals).toEqual({ sources: [expect.objectContaining({ name: 'keycloak_events' })], pollSeconds: 1 });
    expect(keycloak).toMatchObject({ clientId: 'signal-poller', clientSecret: SECRET });
  });

  it('requires shared state and a signal source', () => {
    const alone = { ...POLLER, SHARED_STATE_URL: '' };
    expect(faults(alone, 'own')).toEqual([expect.stringMatching(/^SHARED_STATE_URL or SHARED_STATE_URL_FILE must be/)]);
    expect(faults({ ...POLLER, SIGNAL_SOURCES: 'none' }, 'own')).toEqual([
      'SIGNAL_SOURCES must name one of events, ssf',
    ]);
    const byFile = { ...alone, SHARED_STATE_URL_FILE: fileWith('url', 'valkeys://valkey.internal') };
    expect(faults(byFile, 'own')).toEqual([]);
  });
});

describe('the key that signs proofs (RS-30)', () => {
  const MISSING =
    'SIGNAL_PROOF_PRIVATE_KEY or SIGNAL_PROOF_PRIVATE_KEY_FILE must be set: this process polls revocations for other services, which accept signed proofs only (openssl genpkey -algorithm ed25519)';
  const WITHOUT = { SIGNAL_PROOF_PRIVATE_KEY: undefined };

  it('is required in a process that polls and has a revocation channel', () => {
    expect(faults({ ...POLLER, ...WITHOUT }, 'own')).toEqual([MISSING]);
    expect(faults({ ...LISTENING, ...CHANNEL })).toEqual([MISSING]);
    expect(faults({ ...LISTENING, ...CHANNEL, SIGNAL_PROOF_PRIVATE_KEY: PROOF_KEY })).toEqual([]);
  });

  it('is optional in a process that has no channel or does not poll', () => {
    expect(faults(LISTENING)).toEqual([]);
    expect(faults({ ...SERVICE, ...CHANNEL })).toEqual([]);
    expect(faults({ ...LISTENING, ...CHANNEL, SIGNAL_SOURCES: 'none' })).toEqual([]);
  });

  it('may be in a file, and must be an Ed25519 key that is not published', () => {
    const file = fileWith('proof-private-key', PROOF_KEY);
    expect(faults({ ...POLLER, ...WITHOUT, SIGNAL_PROOF_PRIVATE_KEY_FILE: file }, 'own')).toEqual([]);
    expect(faults({ ...POLLER, SIGNAL_PROOF_PRIVATE_KEY: SECRET }, 'own')).toEqual([
      expect.stringMatching(/^SIGNAL_PROOF_PRIVATE_KEY must contain one Ed25519 private key(?!.*4711)/),
    ]);
    const compose = readFileSync(new URL('../../../compose.replicas.yml', import.meta.url), 'utf8');
    const [, published = ''] = /SIGNAL_PROOF_PRIVATE_KEY:-([^}]+)/.exec(compose) ?? [];
    expect(faults({ ...POLLER, SIGNAL_PROOF_PRIVATE_KEY: published }, 'own')).toEqual([
      'SIGNAL_PROOF_PRIVATE_KEY contains a published demo value: use one of your own, or set DEMO_MODE=true',
    ]);
  });
});
