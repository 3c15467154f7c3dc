import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { CERTIFICATE } from '../spec-support/certificate.js';
import { readServiceSettings } from './service-settings.js';
import { SettingsError, type Environment } from './variables.js';

const SERVICE = { name: 'service-a', port: 3000, calls: { 'service-b': {} } } as const;
const SECRET = 'of-my-own-4711';

const described = new URL('../../../services.json', import.meta.url);
const DEMO_SECRETS = [...readFileSync(described, 'utf8').matchAll(/"demoSecret": "([^"]+)"/g)].map(([, secret]) =>
  String(secret),
);

const GOOD: Environment = {
  NODE_ENV: 'production',
  KEYCLOAK_BASE_URL: 'https://sso.example.com',
  KEYCLOAK_REALM: 'shop',
  SERVICE_A_CLIENT_SECRET: SECRET,
  SERVICE_B_URL: 'https://service-b.internal',
};
const DEMO: Environment = {
  NODE_ENV: 'development',
  DEMO_MODE: 'true',
  KEYCLOAK_BASE_URL: 'http://keycloak:8080',
  KEYCLOAK_REALM: 'microservices',
  KEYCLOAK_ISSUER: 'http://localhost:8080/realms/microservices',
  SERVICE_A_CLIENT_SECRET: 'a-secret',
  SERVICE_B_URL: 'http://service-b:3001',
};

const read = (change: Environment, base = GOOD): ReturnType<typeof readServiceSettings<'service-b'>> =>
  readServiceSettings({ ...base, ...change }, SERVICE);

function faults(change: Environment, base = GOOD): readonly string[] {
  try {
    read(change, base);
  } catch (error) {
    if (error instanceof SettingsError) return error.faults;
    throw error;
  }
  return [];
}

const folder = mkdtempSync(join(tmpdir(), 'settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('readServiceSettings', () => {
  it('uses a default for each variable that is not set', () => {
    expect(read({})).toEqual({
      name: 'service-a',
      version: 'dev',
      host: '127.0.0.1',
      port: 3000,
      demoMode: false,
      logFormat: 'json',
      requestLog: false,
      shutdownDelaySeconds: 5,
      keycloak: {
        issuer: 'https://sso.example.com/realms/shop',
        internalServerUrl: 'https://sso.example.com',
        timeoutMs: 3000,
        introspectionStaleIfErrorSeconds: 0,
        clientId: 'service-a',
        clientSecret: SECRET,
        tls: {},
        introspectionTtlSeconds: 10,
        allowInsecureRequests: false,
        exposeRefusalReasons: false,
      },
      urls: { 'service-b': 'https://service-b.internal' },
      servicesTls: {},
    });
  });

  it('describes the protected resource only if RESOURCE_URL is set', () => {
    expect(read({ RESOURCE_URL: 'https://a.example.com/' }).keycloak.protectedResource).toEqual({
      resource: 'https://a.example.com',
      resourceName: 'service-a',
    });
    expect(read({ RESOURCE_URL: ' ' }).keycloak).not.toHaveProperty('protectedResource');
    expect(faults({ RESOURCE_URL: 'http://a.example.com' })).toEqual([
      expect.stringMatching(/^RESOURCE_URL must be https:/),
    ]);
    expect(faults({ RESOURCE_URL: 'https://a.example.com?b' })).toEqual([
      'RESOURCE_URL must be an http(s) URL without user name, password, query and fragment',
    ]);
  });

  it.each<[string, Environment, unknown]>([
    ['no variable is set', {}, undefined],
    ['a port is set', { MANAGEMENT_PORT: '9464' }, { management: { host: '127.0.0.1', port: 9464 } }],
    [
      'a port and its address are set',
      { MANAGEMENT_PORT: '9464', MANAGEMENT_HOST: '0.0.0.0' },
      { management: { host: '0.0.0.0', port: 9464 } },
    ],
    ['a collector is set', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }, { traces: 'http/protobuf' }],
    [
      'a collector of traces and its protocol are set',
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
      { traces: 'http/json' },
    ],
    ['the standard collector is set', { OTEL_TRACES_EXPORTER: 'otlp' }, { traces: 'http/protobuf' }],
    [
      'a port and a collector are set, and metrics are disabled',
      {
        MANAGEMENT_PORT: '9464',
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      },
      { traces: 'http/protobuf' },
    ],
    [
      'telemetry is disabled',
      { MANAGEMENT_PORT: '9464', OTEL_TRACES_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'true' },
      undefined,
    ],
  ])('enables only the configured metrics and traces: %s', (_, change, telemetry) => {
    expect(read(change).telemetry).toEqual(telemetry);
  });

  it.each<[Environment, string]>([
    [{ MANAGEMENT_PORT: '3000' }, 'MANAGEMENT_PORT must differ from PORT, which anybody can reach'],
    [{ MANAGEMENT_PORT: 'x' }, 'MANAGEMENT_PORT must be a port number from 0 to 65535'],
    [{ OTEL_METRICS_EXPORTER: 'prometheus' }, 'OTEL_METRICS_EXPORTER=prometheus needs MANAGEMENT_PORT'],
    [{ OTEL_METRICS_EXPORTER: 'otlp' }, 'OTEL_METRICS_EXPORTER must be one of none, prometheus'],
    [{ OTEL_TRACES_EXPORTER: 'zipkin' }, 'OTEL_TRACES_EXPORTER must be one of none, otlp'],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_PROTOCOL must be one of http/protobuf, http/json'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' }, 'OTEL_EXPORTER_OTLP_ENDPOINT must be an http(s) URL'],
  ])('refuses telemetry settings that cannot work: %j', (change, fault) => {
    expect(faults(change)).toEqual([fault]);
  });

  it('reads the certificate authorities of Keycloak and of the services from files', () => {
    const [own, shared] = [CERTIFICATE, `${CERTIFICATE}${CERTIFICATE}`].map((text, at) => {
      const file = join(folder, `ca-${at}.pem`);
      writeFileSync(file, text);
      return file;
    });
    const settings = read({ KEYCLOAK_CA_FILE: own, SERVICES_CA_FILE: shared });
    expect([settings.keycloak.tls, settings.servicesTls]).toEqual([{ caFile: own }, { caFile: shared }]);
  });

  it.each(['KEYCLOAK_CA_FILE', 'SERVICES_CA_FILE'])(
    'stops the start if the file of %s is missing or has no certificate',
    (name) => {
      expect(faults({ [name]: join(folder, 'none-4711') })).toEqual([
        `${name} points to a file that can't be read (ENOENT)`,
      ]);
      const file = join(folder, 'nonsense.pem');
      writeFileSync(file, SECRET);
      expect(faults({ [name]: file })).toEqual([`${name} points to a file that contains no certificate in PEM`]);
    },
  );

  it('accepts the settings of the demonstration', () => {
    expect(read({}, DEMO)).toMatchObject({
      demoMode: true,
      logFormat: 'text',
      shutdownDelaySeconds: 0,
      keycloak: {
        issuer: 'http://localhost:8080/realms/microservices',
        internalServerUrl: 'http://keycloak:8080',
        allowInsecureRequests: true,
        exposeRefusalReasons: true,
      },
    });
  });

  it('lists every fault in one message, without secrets', () => {
    const bad = {
      KEYCLOAK_BASE_URL: 'nonsense',
      KEYCLOAK_REALM: 'a/b',
      PORT: '70000',
      DEMO_MODE: 'yes',
      SERVICE_B_URL: '',
    };
    expect(() => read(bad)).toThrow(SettingsError);
    expect(faults(bad)).toEqual([
      'DEMO_MODE must be true or false',
      'KEYCLOAK_BASE_URL must be an http(s) URL',
      'KEYCLOAK_REALM must be the name of a realm',
      'PORT must be a port number from 0 to 65535',
      'SERVICE_B_URL is not set',
    ]);
    expect(() => read(bad)).not.toThrow(new RegExp(SECRET));
  });

  it.each([
    ['KEYCLOAK_BASE_URL', 'KEYCLOAK_BASE_URL is not set'],
    ['KEYCLOAK_REALM', 'KEYCLOAK_REALM is not set'],
    ['SERVICE_A_CLIENT_SECRET', 'SERVICE_A_CLIENT_SECRET or SERVICE_A_CLIENT_SECRET_FILE must be set'],
    ['SERVICE_B_URL', 'SERVICE_B_URL is not set'],
  ])('requires %s, and treats an empty value as missing', (name, fault) => {
    expect(faults({ [name]: undefined })).toContain(fault);
    expect(faults({ [name]: ' ' })).toContain(fault);
  });

  it.each(['production', 'staging', undefined])(
    'refuses demo mode with NODE_ENV %s, which counts as production',
    (env) => {
      expect(faults({ NODE_ENV: env, DEMO_MODE: 'true' })).toEqual([expect.stringContaining('DEMO_MODE=true is for')]);
    },
  );

  it('refuses http: in production unless a setting allows it (RS-04)', () => {
    const insecure = { KEYCLOAK_BASE_URL: 'http://keycloak:8080', SERVICE_B_URL: 'http://service-b:3001' };
    expect(faults(insecure)).toEqual([
      expect.stringContaining('KEYCLOAK_BASE_URL must be https:'),
      expect.stringContaining('SERVICE_B_URL must be https:'),
    ]);
    expect(faults({ KEYCLOAK_ISSUER: 'http://sso.example.com/realms/shop' })).toEqual([
      expect.stringContaining('KEYCLOAK_ISSUER must be https:'),
    ]);
    expect(read({ ...insecure, KEYCLOAK_ALLOW_INSECURE_REQUESTS: 'true' }).keycloak.allowInsecureRequests).toBe(true);
  });

  it.each(['KEYCLOAK_BASE_URL', 'SERVICE_B_URL'])(
    'refuses an insecure URL in %s, even if its scheme is in capitals (RS-04)',
    (name) => {
      const change = { KEYCLOAK_ISSUER: 'https://sso.example.com/realms/shop', [name]: 'HTTP://keycloak:8080' };
      expect(faults(change)).toEqual([expect.stringContaining(`${name} must be https:`)]);
    },
  );

  it.each(['KEYCLOAK_BASE_URL', 'KEYCLOAK_ISSUER', 'SERVICE_B_URL', 'RESOURCE_URL'])(
    'rejects forbidden parts of the URL in %s, and does not show the value',
    (name) => {
      const path = name === 'KEYCLOAK_ISSUER' ? '/realms/shop' : '';
      for (const url of [
        `https://4711@sso.example.com${path}`,
        `https://:4711@sso.example.com${path}`,
        `https://sso.example.com/?4711=${path}`,
        `https://sso.example.com/#4711${path}`,
      ]) {
        expect(faults({ [name]: url })).toEqual([
          `${name} must be an http(s) URL without user name, password, query and fragment`,
        ]);
      }
      for (const dots of ['/.', '/..', '/%2e%2E']) {
        expect(faults({ [name]: `https://sso.example.com/4711${dots}${path}` })).toEqual([
          `${name} must have no dot segment ("." or "..") in its path`,
        ]);
      }
      expect(faults({ [name]: `https://sso.example.com/@4711${path}` })).toEqual([]);
    },
  );

  it('does not enable demo mode if http: is allowed', () => {
    expect(faults({ KEYCLOAK_ALLOW_INSECURE_REQUESTS: 'true', DEMO_MODE: 'true' })).toEqual([
      expect.stringContaining('DEMO_MODE=true is for'),
    ]);
  });

  it.each(['PORT', 'HOST', 'DEMO_MODE', 'KEYCLOAK_ISSUER', 'SERVICE_A_CLIENT_ID', 'NODE_ENV'])(
    'treats an empty %s as missing',
    (name) => {
      expect(read({ [name]: '' })).toEqual(read({ [name]: undefined }));
    },
  );

  it('uses the values of the variables that are set', () => {
    const values = {
      HOST: '0.0.0.0',
      PORT: '8080',
      SERVICE_A_CLIENT_ID: 'a',
      SERVICE_B_URL: 'https://b.internal/base/',
    };
    expect(read(values)).toMatchObject({
      host: '0.0.0.0',
      port: 8080,
      keycloak: { clientId: 'a' },
      urls: { 'service-b': 'https://b.internal/base' },
    });
  });

  it('reads the demo settings and their defaults only in demo mode', () => {
    const demo = {
      urls: { SERVICE_C_URL: 'http://localhost:3002' },
      secrets: { SHORT_LIVED_CLIENT_SECRET: 's-secret' },
      flags: ['DEMO_EXTRA'],
    };
    const settings = (environment: Environment) =>
      readServiceSettings(environment, { name: 'service-a', port: 3000, calls: { 'service-b': {} }, demo });
    const changed = {
      SERVICE_C_URL: 'http://service-c:3002/',
      SHORT_LIVED_CLIENT_SECRET: 'other',
      DEMO_EXTRA: 'true',
    };
    expect(settings(DEMO).demo).toEqual({
      ...demo,
      hosts: ['service-a'],
      clientSecret: DEMO['SERVICE_A_CLIENT_SECRET'],
      flags: { DEMO_EXTRA: false },
    });
    expect(settings({ ...DEMO, ...changed }).demo).toEqual({
      hosts: ['service-a'],
      clientSecret: DEMO['SERVICE_A_CLIENT_SECRET'],
      urls: { SERVICE_C_URL: 'http://service-c:3002' },
      secrets: { SHORT_LIVED_CLIENT_SECRET: 'other' },
      flags: { DEMO_EXTRA: true },
    });
    expect(() => settings({ ...DEMO, SERVICE_C_URL: 'nonsense' })).toThrow('SERVICE_C_URL must be an http(s) URL');
    expect(settings({ ...GOOD, SERVICE_C_URL: 'nonsense' }).demo).toBeUndefined();
  });

  it.each(['65536', '-1', '3000x', '1e3', '0x50'])('refuses the port %s', (PORT) => {
    expect(faults({ PORT })).toEqual(['PORT must be a port number from 0 to 65535']);
  });

  it.each(DEMO_SECRETS)('accepts the published %s in demo mode only', (secret) => {
    expect(faults({ SERVICE_A_CLIENT_SECRET: secret })).toEqual([
      expect.stringContaining('is a published demo secret'),
    ]);
    expect(faults({ SERVICE_A_CLIENT_SECRET: secret, DEMO_MODE: 'false' }, DEMO)).toHaveLength(1);
    expect(faults({ SERVICE_A_CLIENT_SECRET: secret }, DEMO)).toEqual([]);
  });

  it('reads the secret from a file', () => {
    const file = join(folder, 'secret');
    writeFileSync(file, `${SECRET}\n`);
    const fromFile = { SERVICE_A_CLIENT_SECRET: undefined, SERVICE_A_CLIENT_SECRET_FILE: file };
    const { clientSecret, clientAuthentication } = read(fromFile).keycloak;
    expect([clientSecret, typeof clientAuthentication?.connect]).toEqual([undefined, 'function']);
    expect(faults({ SERVICE_A_CLIENT_SECRET_FILE: file })).toEqual([expect.stringContaining('not both')]);
    writeFileSync(file, 'a-secret');
    expect(faults(fromFile)).toEqual([expect.stringContaining('is a published demo secret')]);
    writeFileSync(file, '\n');
    expect(faults(fromFile)).toEqual([expect.stringContaining('empty file')]);
    writeFileSync(file, `${SECRET}\nits comment`);
    expect(faults(fromFile)).toEqual([expect.stringMatching(/^SERVICE_A_CLIENT_SECRET_FILE: .* line break/)]);
    expect(faults({ ...fromFile, SERVICE_A_CLIENT_SECRET_FILE: join(folder, 'none') })).toEqual([
      expect.stringContaining("can't be read"),
    ]);
  });

  it('accepts only one credential: a secret, a private key or an assertion', () => {
    const [key, assertion] = [join(folder, 'key'), join(folder, 'assertion')];
    writeFileSync(key, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(assertion, `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.e30.c2ln`);
    const none = { SERVICE_A_CLIENT_SECRET: undefined };
    const withKey = read({ ...none, SERVICE_A_CLIENT_KEY_FILE: key });
    expect(withKey.keycloak.clientAuthentication).toBe(withKey.privateKey);
    const withAssertion = read({ ...none, SERVICE_A_CLIENT_ASSERTION_FILE: assertion });
    expect([withAssertion.privateKey, typeof withAssertion.keycloak.clientAuthentication?.connect]).toEqual([
      undefined,
      'function',
    ]);
    for (const both of [
      { SERVICE_A_CLIENT_KEY_FILE: key },
      { ...none, SERVICE_A_CLIENT_KEY_FILE: key, SERVICE_A_CLIENT_ASSERTION_FILE: assertion },
    ]) {
      expect(faults(both)).toEqual([
        'SERVICE_A_CLIENT_SECRET, SERVICE_A_CLIENT_KEY_FILE and SERVICE_A_CLIENT_ASSERTION_FILE exclude each other',
      ]);
    }
    expect(faults({ ...none, SERVICE_A_CLIENT_KEY_FILE: assertion })).toEqual([
      expect.stringMatching(/^SERVICE_A_CLIENT_KEY_FILE: the file must contain unencrypted private keys in PEM/),
    ]);
    expect(faults({ ...none, SERVICE_A_CLIENT_ASSERTION_FILE: join(folder, 'none') })).toEqual([
      "SERVICE_A_CLIENT_ASSERTION_FILE: the file can't be read (ENOENT)",
    ]);
  });

  it('refuses an issuer of another realm', () => {
    expect(faults({ KEYCLOAK_ISSUER: 'https://sso.example.com/realms/other' })).toEqual([
      'KEYCLOAK_ISSUER must end in /realms/<KEYCLOAK_REALM>',
    ]);
  });

  it.each(['-1', '301', '1.5', 'x'])('refuses SHUTDOWN_DELAY_SECONDS=%s, and accepts 0 to 300', (seconds) => {
    expect(faults({ SHUTDOWN_DELAY_SECONDS: seconds })).toEqual([
      'SHUTDOWN_DELAY_SECONDS must be a whole number from 0 to 300',
    ]);
    for (const good of [0, 300]) {
      expect(read({ SHUTDOWN_DELAY_SECONDS: String(good) }).shutdownDelaySeconds).toBe(good);
    }
  });

  it.each(['-1', '301', '1.5', 'x'])('refuses INTROSPECTION_TTL_SECONDS=%s, and accepts 0 to 300', (seconds) => {
    expect(faults({ INTROSPECTION_TTL_SECONDS: seconds })).toEqual([
      'INTROSPECTION_TTL_SECONDS must be a whole number from 0 to 300',
    ]);
    for (const good of [0, 300]) {
      const { keycloak } = read({ INTROSPECTION_TTL_SECONDS: String(good) });
      expect(keycloak.introspectionTtlSeconds).toBe(good);
    }
  });

  it.each(['-1', '601', '1.5', 'x'])(
    'refuses INTROSPECTION_STALE_IF_ERROR_SECONDS=%s, and accepts 0 to 600',
    (value) => {
      expect(faults({ INTROSPECTION_STALE_IF_ERROR_SECONDS: value })).toEqual([
        'INTROSPECTION_STALE_IF_ERROR_SECONDS must be a whole number from 0 to 600',
      ]);
      for (const good of [0, 600]) {
        const { keycloak } = read({ INTROSPECTION_STALE_IF_ERROR_SECONDS: String(good) });
        expect(keycloak.introspectionStaleIfErrorSeconds).toBe(good);
      }
    },
  );

  it.each(['99', '60001', '1.5', 'x'])('refuses KEYCLOAK_TIMEOUT_MS=%s, and accepts 100 to 60000', (ms) => {
    expect(faults({ KEYCLOAK_TIMEOUT_MS: ms })).toEqual([
      'KEYCLOAK_TIMEOUT_MS must be a whole number from 100 to 60000',
    ]);
    for (const good of [100, 60_000]) {
      expect(read({ KEYCLOAK_TIMEOUT_MS: String(good) }).keycloak.timeoutMs).toBe(good);
    }
  });

  it.each<[string | undefined, string | undefined, boolean]>([
    [undefined, undefined, false],
    ['introspection', undefined, false],
    ['jwt', 'jwt', true],
  ])('sets the verification method by TOKEN_VERIFICATION=%s', (variable, verification, hasJwt) => {
    const { keycloak } = read(variable === undefined ? {} : { TOKEN_VERIFICATION: variable });
    expect([keycloak.verification, 'jwt' in keycloak]).toEqual([verification, hasJwt]);
  });

  it('refuses an unknown TOKEN_VERIFICATION', () => {
    expect(faults({ TOKEN_VERIFICATION: 'JWT' })).toEqual(['TOKEN_VERIFICATION must be one of introspection, jwt']);
  });

  it('has no login settings if the service has no login', () => {
    expect(read({ PUBLIC_URL: 'nonsense' })).not.toHaveProperty('login');
  });
});

describe('readServiceSettings for a service with a login', () => {
  const OWN = 'a-session-secret-of-my-own-with-40-letters';
  const WITH_LOGIN = { ...GOOD, PUBLIC_URL: 'https://shop.example.com', SERVICE_A_SESSION_SECRET: OWN };
  const readLogin = (change: Environment, base: Environment = WITH_LOGIN) =>
    readServiceSettings({ ...base, ...change }, { ...SERVICE, login: true }).login;
  const faultsOf = (change: Environment, base?: Environment): readonly string[] => {
    try {
      readLogin(change, base);
    } catch (error) {
      if (error instanceof SettingsError) return error.faults;
      throw error;
    }
    return [];
  };

  it('uses a default for each variable that is not set', () => {
    expect(readLogin({})).toEqual({
      publicUrl: 'https://shop.example.com',
      sessionSecrets: [OWN],
      sessionIdleSeconds: 1800,
      sessionMaxSeconds: 36_000,
      maxSessions: 10_000,
      maxSessionsPerUser: 20,
      acrValues: ['1', '2'],
    });
    expect(readLogin({ LOGIN_ACR_VALUES: ' gold  urn:x:silver ' })?.acrValues).toEqual(['gold', 'urn:x:silver']);
    expect(readLogin({ PORT: '3100' }, DEMO)).toMatchObject({ publicUrl: 'http://localhost:3100' });
    expect(readLogin({ PORT: '80' }, DEMO)).toMatchObject({ publicUrl: 'http://localhost' });
  });

  it.each<[string, Environment, string]>([
    ['no public URL in production', { PUBLIC_URL: '' }, 'PUBLIC_URL is not set'],
    ['no public URL and no fixed port', { ...DEMO, PUBLIC_URL: '', PORT: '0' }, 'PUBLIC_URL is not set'],
    ['http: in production', { PUBLIC_URL: 'http://shop.example.com' }, 'PUBLIC_URL must be https:'],
    ['a public URL with the default port', { PUBLIC_URL: 'https://shop.example.com:443' }, 'without a default port'],
    ['a public URL with a path', { PUBLIC_URL: 'https://shop.example.com/a' }, 'PUBLIC_URL must be an origin'],
    ['no secret', { SERVICE_A_SESSION_SECRET: '' }, 'SERVICE_A_SESSION_SECRET or SERVICE_A_SESSION_SECRET_FILE'],
    ['a short secret', { SERVICE_A_SESSION_SECRET: 'x'.repeat(31) }, 'at least 32 characters'],
    [
      'the published secret',
      { SERVICE_A_SESSION_SECRET: 'demo-session-secret-that-everybody-knows' },
      'is a published demo secret',
    ],
    ['no idle time', { SESSION_IDLE_SECONDS: '0' }, 'SESSION_IDLE_SECONDS must be a whole number from 1'],
    ['an endless session', { SESSION_MAX_SECONDS: '999999999' }, 'SESSION_MAX_SECONDS must be a whole number'],
    ['no sessions', { MAX_SESSIONS: '0' }, 'MAX_SESSIONS must be a whole number from 1'],
    ['no limit per user', { MAX_SESSIONS_PER_USER: '0' }, 'MAX_SESSIONS_PER_USER must be a whole number from 1'],
    [
      'more sessions per user than sessions in total',
      { MAX_SESSIONS: '10', MAX_SESSIONS_PER_USER: '11' },
      'MAX_SESSIONS_PER_USER must be at most MAX_SESSIONS, which is 10',
    ],
    [
      'more sessions per user than the default limit of all sessions',
      { MAX_SESSIONS_PER_USER: '10001' },
      'MAX_SESSIONS_PER_USER must be at most MAX_SESSIONS, which is 10000',
    ],
    [
      'an idle time that is longer than a session',
      { SESSION_MAX_SECONDS: '600', SESSION_IDLE_SECONDS: '601' },
      'SESSION_IDLE_SECONDS must be at most SESSION_MAX_SECONDS, which is 600',
    ],
    ['a level with a quote', { LOGIN_ACR_VALUES: 'gold "2"' }, 'LOGIN_ACR_VALUES must be at most 10 words'],
    ['too many levels', { LOGIN_ACR_VALUES: '1 2 3 4 5 6 7 8 9 10 11' }, 'LOGIN_ACR_VALUES must be at most 10 words'],
  ])('refuses %s', (_, change, fault) => {
    expect(faultsOf(change)).toEqual([expect.stringContaining(fault)]);
  });

  it('lowers a default that would exceed the value of another variable', () => {
    const bounds = { MAX_SESSIONS: '5', SESSION_MAX_SECONDS: '600' };
    expect(readLogin(bounds)).toMatchObject({ maxSessionsPerUser: 5, sessionIdleSeconds: 600 });
    const equal = { ...bounds, MAX_SESSIONS_PER_USER: '5', SESSION_IDLE_SECONDS: '600' };
    expect(readLogin(equal)).toMatchObject({ maxSessionsPerUser: 5, sessionIdleSeconds: 600 });
  });

  it('accepts the host name of PUBLIC_URL in demo mode', () => {
    const settings = { PUBLIC_URL: 'https://shop.example.com:8443' };
    const login = readServiceSettings(
      { ...DEMO, ...settings },
      { name: 'service-a', port: 3000, calls: {}, login: true },
    );
    expect(login.demo?.hosts).toEqual(['service-a', 'shop.example.com']);
  });

  it('accepts several session secrets, and checks each secret', () => {
    const [one, other] = ['o'.repeat(32), 'n'.repeat(32)];
    const several = (text: string): Environment => ({ SERVICE_A_SESSION_SECRET: text });
    expect(readLogin(several(`${one}\n ${other} \n`)).sessionSecrets).toEqual([one, other]);
    expect(faultsOf(several(`${one}\nshort`))).toEqual([expect.stringContaining('at least 32 characters')]);
    expect(faultsOf(several(`${one}\ndemo-session-secret-that-everybody-knows`))).toEqual([
      expect.stringContaining('is a published demo secret'),
    ]);
  });

  it('accepts the published secret in demo mode', () => {
    expect(readLogin({}, DEMO).sessionSecrets).toEqual(['demo-session-secret-that-everybody-knows']);
  });
});

describe('readServiceSettings for shared state', () => {
  const composeFile = readFileSync(new URL('../../../compose.replicas.yml', import.meta.url), 'utf8');
  const KEY = Buffer.from(Array.from({ length: 32 }, (_, at) => at)).toString('base64');
  const SHARED = { SHARED_STATE_URL: 'valkeys://valkey.internal', SHARED_DENIAL_KEYS: `${KEY}, ${KEY}` };

  it('configures a revocation channel only if SHARED_STATE_URL is set', () => {
    expect(read({}).keycloak.revocationChannel).toBeUndefined();
    expect(read(SHARED).keycloak.revocationChannel).toBeDefined();
    const file = join(folder, 'url');
    writeFileSync(file, `${SHARED.SHARED_STATE_URL}\n`);
    const byFile = { ...SHARED, SHARED_STATE_URL: undefined, SHARED_STATE_URL_FILE: file };
    expect(read(byFile).keycloak.revocationChannel).toBeDefined();
  });

  it('requires keys for sessions, and refuses a session key that is also a denial key', () => {
    const own = Buffer.from(Array.from({ length: 32 }, (_, at) => at + 1)).toString('base64');
    const withLogin = (keys: string | undefined): ReturnType<typeof readServiceSettings> => {
      const login = { PUBLIC_URL: 'https://shop.example.com', SERVICE_A_SESSION_SECRET: 'x'.repeat(40) };
      return readServiceSettings(
        { ...GOOD, ...login, ...SHARED, SHARED_STATE_KEYS: keys },
        { ...SERVICE, login: true },
      );
    };
    expect(read(SHARED).sharedState).toBeUndefined();
    expect(withLogin(own).sharedState).toBeDefined();
    expect(() => withLogin(undefined)).toThrow(/SHARED_STATE_KEYS or SHARED_STATE_KEYS_FILE must be set/);
    expect(() => withLogin(SECRET)).toThrow(/SHARED_STATE_KEYS must be random keys of 32 bytes.*1 of 1 are not/);
    for (const shared of [KEY, KEY.replace('=', '')]) {
      expect(() => withLogin(`${own} ${shared}`)).toThrow(/SHARED_STATE_KEYS must differ from/);
    }
    expect(() => withLogin(SECRET)).not.toThrow(/4711/);
    const published = /SERVICE_A_SHARED_STATE_KEYS:-([^}]+)/.exec(composeFile)?.[1];
    expect(() => withLogin(published)).toThrow('SHARED_STATE_KEYS contains a published demo value');
  });

  it('requires sealing keys and a separate database or server for cached results', () => {
    const own = Buffer.from(Array.from({ length: 32 }, (_, at) => at + 1)).toString('base64');
    const answers = (url: string, keys: string | undefined = own): ReturnType<typeof read>['keycloak'] =>
      read({ ...SHARED, SHARED_ANSWERS_URL: url, SHARED_STATE_KEYS: keys }).keycloak;
    expect(read(SHARED).keycloak.sharedCache).toBeUndefined();
    expect(answers('valkeys://valkey.internal/1').sharedCache).toBeDefined();
    for (const same of ['', ':6379', '/', ':6379/0']) {
      const url = `valkeys://Valkey.internal${same}`;
      expect(() => answers(url)).toThrow(/SHARED_ANSWERS_URL must name another database or server/);
    }
    expect(() => answers('https://valkey.internal')).toThrow(/SHARED_ANSWERS_URL must be valkeys:/);
    expect(() => answers('valkeys://other.internal', '')).toThrow(/SHARED_STATE_KEYS or SHARED_STATE_KEYS_FILE/);
  });

  it.each<[string, Environment, string]>([
    ['no keys', { SHARED_DENIAL_KEYS: undefined }, 'SHARED_DENIAL_KEYS or SHARED_DENIAL_KEYS_FILE must be set'],
    ['a password as the key', { SHARED_DENIAL_KEYS: SECRET }, 'SHARED_DENIAL_KEYS must be random keys of 32 bytes'],
    ['the URL of another kind of server', { SHARED_STATE_URL: 'https://4711' }, 'SHARED_STATE_URL must be valkeys://'],
    [
      'a missing file',
      { SHARED_STATE_CA_FILE: join(folder, 'none') },
      "SHARED_STATE_CA_FILE points to a file that can't be read",
    ],
  ])('stops the start without showing a value: %s', (_, change, fault) => {
    const found = faults({ ...SHARED, ...change });
    expect(found.join('\n')).toContain(fault);
    expect(found.join('\n')).not.toContain('4711');
  });

  it('accepts public keys of pollers, which are optional', () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const text = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const trusted = (change: Environment): number | undefined =>
      read({ ...SHARED, ...change }).keycloak.revocationChannel?.proofKeys?.().publicKeys;
    expect(trusted({})).toBe(0);
    expect(trusted({ SIGNAL_PROOF_PUBLIC_KEYS: text })).toBe(1);
    const file = join(folder, 'proof-public-keys');
    writeFileSync(file, text);
    expect(trusted({ SIGNAL_PROOF_PUBLIC_KEYS_FILE: file })).toBe(1);
    expect(faults({ ...SHARED, SIGNAL_PROOF_PUBLIC_KEYS: 'key-4711' })).toEqual([
      expect.stringMatching(/^SIGNAL_PROOF_PUBLIC_KEYS must contain Ed25519 public keys(?!.*4711)/),
    ]);
    expect(faults({ ...SHARED, SIGNAL_PROOF_PUBLIC_KEYS: text, SIGNAL_PROOF_PUBLIC_KEYS_FILE: file })).toContain(
      'SIGNAL_PROOF_PUBLIC_KEYS or SIGNAL_PROOF_PUBLIC_KEYS_FILE must be set, not both',
    );
  });

  const published = [
    ...composeFile.matchAll(
      /^ {2}(SHARED_STATE_URL|SHARED_ANSWERS_URL|SHARED_DENIAL_KEYS|SIGNAL_PROOF_PUBLIC_KEYS): (?:\$\{\w+:-)?([^\s}]+)/gm,
    ),
  ];

  it.each(published.map(([, name = '', value = '']) => [name, value]))(
    'accepts the published %s in demo mode only',
    (name, value) => {
      const fault = `${name} contains a published demo value: use one of your own, or set DEMO_MODE=true`;
      const own = Buffer.from(Array.from({ length: 32 }, (_, at) => at + 1)).toString('base64');
      const settings = { ...SHARED, SHARED_STATE_KEYS: own, [name]: value };
      expect(faults({ ...settings, KEYCLOAK_ALLOW_INSECURE_REQUESTS: 'true' })).toEqual([fault]);
      expect(faults(settings, DEMO)).toEqual([]);
    },
  );

  it('refuses a published key, even in a list of keys or in base64url', () => {
    const [, , key = ''] = published.find(([, name]) => name === 'SHARED_DENIAL_KEYS') ?? [];
    for (const keys of [`${KEY}, ${key}`, key.replaceAll('/', '_').replace('=', '')]) {
      expect(faults({ ...SHARED, SHARED_DENIAL_KEYS: keys }).join('\n')).toContain('SHARED_DENIAL_KEYS contains a pub');
    }
  });
});
