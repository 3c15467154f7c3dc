import { describe, expect, it } from '@jest/globals';
import { printedForms } from '../../spec-support/printed-forms.js';
import { FixedSecret } from '../client-authentication/client-authentication.js';
import { clientSecretFrom } from '../client-authentication/client-secret.js';
import { resolveKeycloakOptions, type KeycloakModuleOptions } from './keycloak.options.js';
import { KeycloakOptionsError } from './option-kinds.js';
import { resolveServiceOptions, type ServiceOptions } from './service.options.js';

const GIVEN: KeycloakModuleOptions = {
  issuer: 'https://keycloak.example.com/realms/test',
  clientId: 'service-b',
  clientSecret: 'hush-hush',
};
const SERVICE: ServiceOptions = { baseUrl: 'https://service-c.example.com', audience: 'service-c' };

const MODULE = { allowInsecureRequests: false, issuers: [{ issuer: GIVEN.issuer }] };

const resolve = (bend: object) => resolveKeycloakOptions({ ...GIVEN, ...bend });
const resolveService = (bend: object, insecure = false) =>
  resolveServiceOptions('service-c', { ...SERVICE, ...bend }, { ...MODULE, allowInsecureRequests: insecure });

function faults(resolving: () => unknown): readonly string[] {
  try {
    resolving();
  } catch (error) {
    if (error instanceof KeycloakOptionsError) return error.faults;
    throw error;
  }
  return [];
}

const { clientSecret: _, ...WITHOUT_SECRET } = GIVEN;

describe('resolveKeycloakOptions', () => {
  it('adds the default values of missing options', () => {
    expect(resolveKeycloakOptions(GIVEN)).toEqual({
      ...WITHOUT_SECRET,
      clientAuthentication: expect.any(FixedSecret),
      realmUrl: 'https://keycloak.example.com/realms/test',
      tls: {},
      requestAdapters: [],
      protectedResource: [],
      expectedDefaultScopes: ['profile', 'email'],
      timeoutMs: 3000,
      maxConcurrentCalls: 20,
      maxQueuedCalls: 500,
      maxRetries: 2,
      circuitBreakerFailures: 10,
      circuitBreakerPauseMs: 1000,
      clockToleranceSeconds: 5,
      minRemainingLifetimeSeconds: 10,
      introspectionTtlSeconds: 10,
      introspectionStaleIfErrorSeconds: 0,
      maxCachedIntrospections: 10_000,
      maxCachedTokens: 1000,
      maxRevocations: 100_000,
      revocationRetentionSeconds: 36_000,
      profile: 'keycloak',
      verification: 'introspection',
      maxTokenBytes: 8192,
      enforcement: 'enforce',
      allowInsecureRequests: false,
      verifyAtStart: false,
      exposeRefusalReasons: false,
      issuers: [expect.objectContaining({ issuer: GIVEN.issuer, clientId: 'service-b' })],
    });
  });

  describe('enforcement', () => {
    const nowSeconds = Date.parse('2027-01-31T12:00:00Z') / 1000;
    const observe = (observeUntil: unknown) => () =>
      resolveKeycloakOptions({ ...GIVEN, enforcement: 'observe', observeUntil } as never, nowSeconds);

    it.each(['2027-01-31', '2027-02-28', '2027-05-01'])('accepts the mode observe until %s', (observeUntil) => {
      expect(observe(observeUntil)()).toMatchObject({ enforcement: 'observe', observeUntil });
    });

    it.each([
      [undefined, /^enforcement is "observe", so observeUntil is required/],
      ['2027-01-30', /^observeUntil was 2027-01-30: set enforcement to "enforce"/],
      ['2027-05-02', /^observeUntil must be at most 90 days ahead$/],
      ['9999-12-31', /^observeUntil must be at most 90 days ahead$/],
    ])('rejects a date in observeUntil that has passed or is too far away: %j', (observeUntil, fault) => {
      expect(faults(observe(observeUntil))).toEqual([expect.stringMatching(fault)]);
    });

    it.each(['2027-02-30', '2027-2-3', '31.01.2027', '2027-02-01T00:00:00Z', '', 20_270_201, new Date(0)])(
      'rejects an invalid date in observeUntil: %j',
      (observeUntil) => {
        expect(faults(observe(observeUntil))).toContain('observeUntil must be a date in the form YYYY-MM-DD');
      },
    );

    it('ignores an observeUntil that has passed if access is enforced', () => {
      expect(resolve({ observeUntil: '2020-01-01' })).toMatchObject({ enforcement: 'enforce' });
    });

    it.each(['off', true, 'Observe'])('rejects the mode %j', (enforcement) => {
      expect(faults(() => resolve({ enforcement }))).toEqual(['enforcement must be "enforce" or "observe"']);
    });
  });

  it('lists every fault in one message that contains no secret', () => {
    const bend = { issuer: 'ftp://x', clientId: ' ', timeoutMs: 0, maxTokenBytes: 1.5, mapPermissions: 'roles' };
    expect(faults(() => resolve(bend))).toHaveLength(6);
    const error = (() => {
      try {
        return resolve(bend);
      } catch (thrown) {
        return thrown as KeycloakOptionsError;
      }
    })() as KeycloakOptionsError;
    expect(error.message).toMatch(/^KeycloakModule\.forRoot has 6 faults:\n/);
    for (const name of ['issuer', 'clientId', 'timeoutMs', 'maxTokenBytes', 'mapPermissions']) {
      expect(error.message).toContain(`\n  - ${name} must `);
    }
    expect(printedForms(error)).not.toContain('hush-hush');
  });

  it('accepts either a secret or another way to authenticate', () => {
    const clientAuthentication = clientSecretFrom(() => 'hush-hush');
    expect(resolve({ clientSecret: undefined, clientAuthentication }).clientAuthentication).toBe(clientAuthentication);
    const neither = ['clientSecret or clientAuthentication must be given'];
    expect(faults(() => resolve({ clientSecret: undefined }))).toEqual(neither);
    expect(faults(() => resolve({ clientAuthentication }))).toEqual([`${neither[0]}, not both`]);
    for (const value of ['hush-hush', {}, null, () => 'hush-hush']) {
      expect(faults(() => resolve({ clientSecret: undefined, clientAuthentication: value }))).toContain(
        'clientAuthentication must be a client authentication, such as clientSecretFile()',
      );
    }
    for (const value of ['', ' ', null]) {
      expect(faults(() => resolve({ clientSecret: value }))).toEqual(['clientSecret must be given']);
    }
    expect(printedForms(resolve({}))).not.toContain('hush-hush');
  });

  it.each(['issuer', 'clientId'])('requires %s', (name) => {
    for (const value of [undefined, null, '', ' ']) {
      expect(faults(() => resolve({ [name]: value }))).toEqual([`${name} must be given`]);
    }
  });

  it.each(['issuer', 'clientId', 'clientSecret', 'internalServerUrl'])(
    'rejects a value of %s that is not a string',
    (name) => {
      for (const value of [7, true, {}, new URL(GIVEN.issuer)]) {
        expect(faults(() => resolve({ [name]: value }))).toEqual([`${name} must be a string`]);
      }
    },
  );

  it('rejects line breaks and other control characters in ids, secrets and URLs', () => {
    const fault = (name: string) => [`${name} must have no line break or other control character`];
    for (const name of ['issuer', 'clientId', 'clientSecret', 'internalServerUrl']) {
      for (const bent of [`${GIVEN.issuer}\n`, `${GIVEN.issuer}\r\n`, `\t${GIVEN.issuer}`]) {
        expect(faults(() => resolve({ [name]: bent }))).toEqual(fault(name));
      }
    }
    expect(faults(() => resolveService({ audience: 'service-c\n' }))).toEqual(fault('audience'));
    const audience = { [GIVEN.issuer]: 'service-c\n' };
    expect(faults(() => resolveService({ audience }))).toEqual(fault(`audience at ${GIVEN.issuer}`));
    expect(printedForms(resolve({ clientSecret: 'hush hush' }))).not.toContain('hush hush');
  });

  it('reports an unknown option only once', () => {
    expect(faults(() => resolve({ timeout: 1 }))).toEqual(['unknown option "timeout"']);
    const issuers = [GIVEN];
    expect(faults(() => resolveKeycloakOptions({ issuers, timeout: 1 } as never))).toEqual([
      'unknown option "timeout"',
    ]);
  });

  it('accepts several request adapters of one kind if at most one lacks isOwn', () => {
    const rest = { kind: 'rpc', callOf() {}, requestOf() {}, toException() {} };
    const own = { ...rest, isOwn: () => true };
    expect(resolve({ requestAdapters: [own, rest, own] }).requestAdapters).toEqual([own, rest, own]);
    expect(faults(() => resolve({ requestAdapters: [rest, own, rest] }))).toEqual([
      'requestAdapters has two adapters without isOwn for the kind "rpc"',
    ]);
    expect(faults(() => resolve({ requestAdapters: [{ ...rest, isOwn: true }] }))).toEqual([
      'requestAdapters must be a list of request adapters, such as graphqlRequestAdapter()',
    ]);
  });

  it('accepts one request adapter for each kind of context other than HTTP', () => {
    const adapter = (kind: string): object => ({ kind, callOf() {}, requestOf() {}, toException() {} });
    expect(resolve({ requestAdapters: [adapter('rpc'), adapter('ws')] }).requestAdapters).toHaveLength(2);
    for (const value of ['graphql', [7], [null], [{ kind: 'rpc' }], {}, null]) {
      expect(faults(() => resolve({ requestAdapters: value }))).toEqual([
        'requestAdapters must be a list of request adapters, such as graphqlRequestAdapter()',
      ]);
    }
    expect(faults(() => resolve({ requestAdapters: [adapter('rpc'), adapter('rpc'), adapter('http')] }))).toEqual([
      'requestAdapters has two adapters without isOwn for the kind "rpc"',
      'requestAdapters must not have an adapter for the kind "http", which is built in',
    ]);
  });

  it.each([
    ['https://orders.example.com', ''],
    ['https://orders.example.com/', ''],
    ['https://orders.example.com:8443', ''],
    ['https://api.example.com/shop/orders-v1.0_~', '/shop/orders-v1.0_~'],
  ])('does not change the URL of a protected resource: %s', (resource, path) => {
    const { origin } = new URL(resource);
    const described = {
      resource,
      metadataPath: `/.well-known/oauth-protected-resource${path}`,
      metadataUrl: `${origin}/.well-known/oauth-protected-resource${path}`,
    };
    expect(resolve({ protectedResource: { resource } }).protectedResource).toEqual([{ ...described, path: '' }]);
    expect(resolve({ protectedResource: [{ resource }] }).protectedResource).toEqual([{ ...described, path }]);
  });

  it.each<[string, unknown, RegExp]>([
    ['a value that is not an object', 'https://orders.example.com', /must be \{ resource \}/],
    ['a list', [], /must be \{ resource \}/],
    ['null', null, /must be \{ resource \}/],
    ['no URL', {}, /\.resource must be given/],
    ['a URL that is not http(s)', { resource: 'urn:orders' }, /\.resource must be an http\(s\) URL/],
    ['an http URL', { resource: 'http://orders.example.com' }, /\.resource must be https:/],
    [
      'a query (RFC 9728 section 1.2)',
      { resource: 'https://orders.example.com?a=b' },
      /without credentials, query and fragment/,
    ],
    [
      'a fragment (RFC 9728 section 1.2)',
      { resource: 'https://orders.example.com#a' },
      /without credentials, query and fragment/,
    ],
    ['credentials', { resource: 'https://a:b@orders.example.com' }, /without credentials, query and fragment/],
    [
      'a URL in capitals',
      { resource: 'https://Orders.example.com' },
      /must be a normalized URL.*: https:\/\/orders\.example\.com$/,
    ],
    ['the default port of https', { resource: 'https://orders.example.com:443' }, /must be a normalized URL/],
    ['a final slash', { resource: 'https://orders.example.com/a/' }, /must contain only letters|without a final slash/],
    ['a dot segment', { resource: 'https://orders.example.com/a/../b' }, /must be a normalized URL/],
    ['a parameter of a router', { resource: 'https://orders.example.com/:id' }, /must contain only letters/],
    ['a wildcard of a router', { resource: 'https://orders.example.com/*' }, /must contain only letters/],
    ['percent-encoding', { resource: 'https://orders.example.com/%61' }, /must contain only letters/],
    ['a name that is not a text', { resource: 'https://a.example', resourceName: ' ' }, /resourceName must be text/],
    [
      'a documentation URL that is not a URL',
      { resource: 'https://a.example', resourceDocumentation: 'javascript:1' },
      /resourceDocumentation must be/,
    ],
    ['an unknown member', { resource: 'https://a.example', scopes: [] }, /unknown member "scopes"/],
    ['an invalid resource in a list', [{ resource: 'https://a.example' }, 7], /^protectedResource\[1\] must be/],
    [
      'a path that another resource has',
      [{ resource: 'https://a.example/mcp' }, { resource: 'https://b.example/mcp' }],
      /two resources with the path "\/mcp"/,
    ],
    [
      'two resources without a path',
      [{ resource: 'https://a.example' }, { resource: 'https://a.example/' }],
      /two resources with the path "\/"/,
    ],
  ])('rejects a protected resource with %s', (_case, protectedResource, fault) => {
    expect(faults(() => resolve({ protectedResource }))).toEqual([expect.stringMatching(fault)]);
  });

  it('requires revocationRetentionSeconds to cover the introspection TTLs', () => {
    const words = /^revocationRetentionSeconds must not be less than introspectionTtlSeconds/;
    const bent = { revocationRetentionSeconds: 60, introspectionTtlSeconds: 61 };
    const signalled = { revocationRetentionSeconds: 299, introspectionTtlWithEventsSeconds: 300 };
    for (const one of [bent, signalled]) expect(faults(() => resolve(one))).toEqual([expect.stringMatching(words)]);
    expect(faults(() => resolve({ ...bent, introspectionTtlSeconds: 60 }))).toEqual([]);
    expect(faults(() => resolve({ ...signalled, revocationRetentionSeconds: 300 }))).toEqual([]);
  });

  it('requires cached results and a longer revocationRetentionSeconds for introspectionStaleIfErrorSeconds', () => {
    const stale = { introspectionStaleIfErrorSeconds: 600 };
    expect(faults(() => resolve(stale))).toEqual([]);
    expect(faults(() => resolve({ ...stale, introspectionTtlSeconds: 0 }))).toEqual([
      expect.stringMatching(/^introspectionStaleIfErrorSeconds needs introspectionTtlSeconds above 0/),
    ]);
    expect(faults(() => resolve({ ...stale, revocationRetentionSeconds: 609 }))).toEqual([
      expect.stringMatching(/^revocationRetentionSeconds must not be less/),
    ]);
    expect(faults(() => resolve({ ...stale, revocationRetentionSeconds: 610 }))).toEqual([]);
    expect(faults(() => resolve({ introspectionStaleIfErrorSeconds: 601 }))).toHaveLength(1);
  });

  it('accepts http for a protected resource in development', () => {
    const protectedResource = { resource: 'http://localhost:3001' };
    expect(resolve({ protectedResource, allowInsecureRequests: true }).protectedResource[0]?.metadataUrl).toBe(
      'http://localhost:3001/.well-known/oauth-protected-resource',
    );
  });

  it('accepts only scope tokens for expectedDefaultScopes', () => {
    expect(resolve({ expectedDefaultScopes: [] })).toMatchObject({ expectedDefaultScopes: [] });
    for (const value of ['profile', ['profile email'], [''], [7], null]) {
      expect(faults(() => resolve({ expectedDefaultScopes: value }))).toEqual([
        'expectedDefaultScopes must be a list of scope tokens',
      ]);
    }
  });

  it.each([
    ['timeoutMs', 100, 60_000],
    ['maxConcurrentCalls', 1, 1000],
    ['maxQueuedCalls', 0, 100_000],
    ['maxRetries', 0, 10],
    ['circuitBreakerFailures', 1, 1000],
    ['circuitBreakerPauseMs', 100, 60_000],
    ['introspectionTtlSeconds', 0, 300],
    ['maxCachedIntrospections', 1, 1_000_000],
    ['clockToleranceSeconds', 0, 60],
    ['minRemainingLifetimeSeconds', 1, 300],
    ['maxCachedTokens', 1, 1_000_000],
    ['maxRevocations', 1, 1_000_000],
    ['revocationRetentionSeconds', 60, 31_536_000],
    ['maxTokenBytes', 1024, 65_536],
  ])('accepts a whole number for %s from %d to %d', (name, min, max) => {
    for (const value of [min, max]) expect(resolve({ [name]: value })).toMatchObject({ [name]: value });
    for (const value of [min - 1, max + 1, min + 0.5, String(min), Number.NaN, Infinity, null]) {
      expect(faults(() => resolve({ [name]: value }))).toEqual([
        `${name} must be a whole number from ${min} to ${max}`,
      ]);
    }
  });

  it.each(['allowInsecureRequests', 'exposeRefusalReasons'])('accepts only true or false for %s', (name) => {
    for (const value of ['true', 'false', 1, null]) {
      expect(faults(() => resolve({ [name]: value }))).toContain(`${name} must be true or false`);
    }
  });

  it.each(['issuer', 'internalServerUrl'])('accepts http for %s only with allowInsecureRequests (RS-04)', (name) => {
    const bend = { internalServerUrl: 'https://k', [name]: name === 'issuer' ? 'http://k/realms/test' : 'http://k' };
    expect(faults(() => resolve(bend))).toEqual([expect.stringContaining(`${name} must be https:`)]);
    expect(faults(() => resolve({ ...bend, allowInsecureRequests: true }))).toEqual([]);
  });

  it.each([
    'keycloak.example.com/realms/test',
    'file:///realms/test',
    'javascript:alert(1)//realms/test',
    'https://user:pass@keycloak.example.com/realms/test',
    'https://:pass@keycloak.example.com/realms/test',
    'https://user@keycloak.example.com/realms/test',
    'https://keycloak.example.com/realms/test?x=1',
    'https://keycloak.example.com/realms/test#x',
    'https://keycloak.example.com/realms/test?',
    'https://keycloak.example.com/realms/test/',
    'https://keycloak.example.com/realms/',
    'https://keycloak.example.com/realms/a/b',
    'https://keycloak.example.com',
  ])('rejects the issuer %s', (issuer) => {
    expect(faults(() => resolve({ issuer }))).toEqual([expect.stringMatching(/^issuer must /)]);
  });

  it.each([
    ['https://sso.example.com/auth/realms/x', undefined, 'https://sso.example.com/auth/realms/x'],
    ['https://sso.example.com/auth/realms/x', 'http://keycloak:8080/auth', 'http://keycloak:8080/auth/realms/x'],
    ['https://sso.example.com/auth/realms/x', 'http://keycloak:8080/', 'http://keycloak:8080/realms/x'],
    ['http://localhost:8080/realms/x', 'http://keycloak:8080', 'http://keycloak:8080/realms/x'],
  ])('resolves the realm of the issuer %s, with the internal URL %s, to %s', (issuer, internalServerUrl, realmUrl) => {
    const given = {
      issuer,
      ...(internalServerUrl === undefined ? {} : { internalServerUrl }),
      allowInsecureRequests: true,
    };
    expect(resolve(given)).toMatchObject({ issuer, realmUrl });
  });
});

describe('the option profile', () => {
  const other = (bend: object) => ({ profile: 'rfc9068', ...bend });

  it.each([
    ['https://sso.example.com', undefined, 'https://sso.example.com'],
    ['https://sso.example.com/', undefined, 'https://sso.example.com/'],
    ['https://sso.example.com/tenant/v2.0', undefined, 'https://sso.example.com/tenant/v2.0'],
    ['https://sso.example.com/tenant/', 'https://sso:8443', 'https://sso:8443/tenant/'],
    ['https://sso.example.com', 'https://sso:8443/', 'https://sso:8443'],
    ['https://sso.example.com/realms/x', 'https://sso:8443', 'https://sso:8443/realms/x'],
  ])(
    'of another server keeps the issuer %s, which with the internal URL %s is reached at %s (RFC 8414 section 2)',
    (issuer, internalServerUrl, realmUrl) => {
      expect(
        resolve(other({ issuer, ...(internalServerUrl === undefined ? {} : { internalServerUrl }) })),
      ).toMatchObject({
        issuer,
        realmUrl,
      });
    },
  );

  it.each([
    [{ issuer: 'http://sso.example.com' }, /^issuer must be https:/],
    [{ issuer: 'https://sso.example.com?x' }, /^issuer must be an http/],
    [{ issuer: 'https://sso.example.com/#x' }, /^issuer must be an http/],
    [{ issuer: 'https://SSO.example.com' }, /^issuer must be a normalized URL/],
    [{ issuer: 'https://sso.example.com:443/x' }, /^issuer must be a normalized URL/],
    [{ internalServerUrl: 'https://sso:8443/path' }, /^internalServerUrl must have no path/],
    [{ profile: 'auth0' }, /^profile must be "keycloak" or "rfc9068" or "rfc7662"$/],
    [{ profile: 'rfc7662', jwt: { connect() {} } }, /^jwt must not be given with profile "rfc7662", /],
  ])('of another server rejects %j', (bend, fault) => {
    expect(faults(() => resolve(other(bend)))).toEqual([expect.stringMatching(fault)]);
  });

  it('rfc7662 rejects verification by signature', () => {
    expect(faults(() => resolve({ profile: 'rfc7662', verification: 'jwt', jwt: { connect() {} } }))).toHaveLength(1);
  });
});

describe('the options of several issuers', () => {
  const OTHER = {
    issuer: 'https://keycloak.partner.example/realms/partner',
    clientId: 'orders',
    clientSecret: 'hush-hush',
    acceptedScopes: ['orders.read'],
  };
  const resolveAll = (issuers: unknown, bend: object = {}) => resolveKeycloakOptions({ issuers, ...bend } as never);

  it('have default options, and the first issuer is the issuer of this service', () => {
    const { issuers, ...resolved } = resolveAll([GIVEN, OTHER], { timeoutMs: 500 });
    expect(resolved).toMatchObject({ issuer: GIVEN.issuer, clientId: 'service-b', timeoutMs: 500 });
    expect(issuers).toMatchObject([
      {
        issuer: GIVEN.issuer,
        acceptedScopes: undefined,
        profile: 'keycloak',
        expectedDefaultScopes: ['profile', 'email'],
      },
      {
        issuer: OTHER.issuer,
        realmUrl: OTHER.issuer,
        clientId: 'orders',
        acceptedScopes: ['orders.read'],
        acceptedAcr: [],
      },
    ]);
    expect(issuers[0].acceptedAcr).toBeUndefined();
  });

  it('can be instances of a class, with methods and accessors', () => {
    class Partner {
      readonly issuer = OTHER.issuer;
      readonly clientId = 'orders';
      readonly clientSecret = 'hush-hush';
      readonly #prefix = 'partner:';
      mapPermissions({ sub }: { readonly sub?: unknown }): readonly string[] {
        return [this.#prefix + String(sub)];
      }
    }
    class Module {
      get issuers() {
        return [GIVEN, new Partner()];
      }
      get introspectionTtlSeconds() {
        return 1;
      }
    }
    const { issuers, introspectionTtlSeconds } = resolveKeycloakOptions(new Module() as never);
    expect(issuers[1]?.mapPermissions?.({ sub: 'alice' } as never, {} as never)).toEqual(['partner:alice']);
    expect(introspectionTtlSeconds).toBe(1);
  });

  it.each<[string, unknown, object, readonly string[]]>([
    [
      'a value that is not a list',
      {},
      {},
      ['issuers must be a list of 1 to 100 issuers, each with issuer, clientId and so on'],
    ],
    ['an empty list', [], {}, ['issuers must be a list of 1 to 100 issuers, each with issuer, clientId and so on']],
    [
      'a list that contains a text',
      [GIVEN, 'x'],
      {},
      ['issuers must be a list of 1 to 100 issuers, each with issuer, clientId and so on'],
    ],
    [
      'a list that contains an issuer twice',
      [GIVEN, { ...OTHER, issuer: GIVEN.issuer }],
      {},
      ['issuers[1]: another entry in the list has the same issuer'],
    ],
    [
      'a list whose second issuer has no limits',
      [GIVEN, { ...OTHER, acceptedScopes: undefined }],
      {},
      ['issuers[1]: acceptedScopes or mapPermissions must be given, to limit the tokens of this issuer'],
    ],
    [
      'an issuer with both acceptedScopes and mapPermissions',
      [{ ...GIVEN, acceptedScopes: ['a'], mapPermissions: () => [] }],
      {},
      [
        'issuers[0]: mapPermissions and acceptedScopes exclude each other, because the result of mapPermissions replaces the scopes',
      ],
    ],
    [
      'an issuer with invalid scopes',
      [GIVEN, { ...OTHER, acceptedScopes: ['two words'] }],
      {},
      ['issuers[1]: acceptedScopes must be a list of scope tokens'],
    ],
    [
      'an issuer with invalid acr values',
      [GIVEN, { ...OTHER, acceptedAcr: [''] }],
      {},
      ['issuers[1]: acceptedAcr must be a list of acr values, words of printable ASCII'],
    ],
    [
      'an issuer with an option of the whole module',
      [GIVEN, { ...OTHER, timeoutMs: 500 }],
      {},
      ['issuers[1]: unknown option "timeoutMs"'],
    ],
    [
      'combined with an option that belongs to one issuer',
      [GIVEN],
      { clientId: 'x' },
      ['clientId belongs to one issuer: set this option in an entry of issuers'],
    ],
    [
      'two issuers with the profile rfc7662',
      [
        { ...GIVEN, profile: 'rfc7662' },
        { ...OTHER, profile: 'rfc7662' },
      ],
      {},
      ['issuers can contain only one with the profile "rfc7662", because its tokens need not name their issuer'],
    ],
    [
      'an issuer with an http URL',
      [GIVEN, { ...OTHER, issuer: 'http://x.test/realms/a' }],
      {},
      ['issuers[1]: issuer must be https: (or allowInsecureRequests must be true, for development)'],
    ],
    [
      'an issuer without client id and secret',
      [{ issuer: GIVEN.issuer }],
      {},
      ['issuers[0]: clientId must be given', 'issuers[0]: clientSecret or clientAuthentication must be given'],
    ],
  ])('can not be %s', (_what, issuers, bend, expected) => {
    expect(faults(() => resolveAll(issuers, bend))).toEqual(expected);
  });
});

describe('resolveServiceOptions', () => {
  it('adds the default values of missing options', () => {
    expect(resolveServiceOptions('service-c', SERVICE, MODULE)).toEqual({
      baseUrl: SERVICE.baseUrl,
      issuer: GIVEN.issuer,
      audiences: { [GIVEN.issuer]: 'service-c' },
      tls: {},
      timeoutMs: 5000,
      maxResponseBytes: 1_048_576,
      gzip: false,
      maxConcurrentCalls: 100,
      maxQueuedCalls: 500,
      circuitBreakerFailures: 10,
      circuitBreakerPauseMs: 1000,
    });
  });

  it('lists every fault in one message that names the service', () => {
    const bend = { baseUrl: 'nowhere', audience: '', timeoutMs: 1, maxResponseBytes: 1 };
    expect(faults(() => resolveService(bend))).toHaveLength(4);
    expect(() => resolveService(bend)).toThrow(/^KeycloakModule\.forFeature, service "service-c", has 4 faults:/);
  });

  it.each([
    'https://user@service-c.example.com',
    'https://:pass@service-c.example.com',
    'https://u:p@service-c.example.com/x',
  ])('rejects a URL with credentials: %s (RS-23)', (baseUrl) => {
    expect(faults(() => resolveService({ baseUrl }))).toEqual([
      'baseUrl must be an http(s) URL without credentials, query and fragment',
    ]);
  });

  it.each([
    'https://service-c.example.com/a/../b',
    'https://service-c.example.com/a/%2E%2e',
    'https://service-c.example.com/a/./b',
    'https://service-c.example.com/a%2f..%2fb',
    'https://service-c.example.com/a\\b',
    'https://service-c.example.com/a ',
  ])('rejects a base URL that a URL parser would change: %j (CC-10)', (baseUrl) => {
    expect(faults(() => resolveService({ baseUrl }))).toEqual([
      'baseUrl must have no dot segment, no backslash, and no space at its end',
    ]);
  });

  it.each(['https:service-c.example.com', 'https:\\\\service-c.example.com', ' https://service-c.example.com'])(
    'rejects a base URL that only a lenient parser accepts: %j (CC-10)',
    (baseUrl) => {
      expect(faults(() => resolveService({ baseUrl }))).toEqual([
        'baseUrl must be an http(s) URL without credentials, query and fragment',
      ]);
    },
  );

  it('accepts http only with allowInsecureRequests', () => {
    const bend = { baseUrl: 'http://service-c:3002/base/' };
    expect(faults(() => resolveService(bend))).toEqual([expect.stringContaining('baseUrl must be https:')]);
    expect(resolveService(bend, true).baseUrl).toBe('http://service-c:3002/base');
  });
});
