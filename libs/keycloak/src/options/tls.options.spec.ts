import { afterEach, describe, expect, it } from '@jest/globals';
import { canMakeCertificates, TestAuthority } from '../../spec-support/certificates.js';
import { resolveKeycloakOptions } from './keycloak.options.js';
import { KeycloakOptionsError } from './option-kinds.js';
import { resolveServiceOptions } from './service.options.js';

const KEYCLOAK = { issuer: 'https://sso.example.com/realms/shop', clientId: 'service-b', clientSecret: 'hush-hush' };
const SERVICE = { baseUrl: 'https://service-c.example.com', audience: 'service-c' };

const withOpenssl = canMakeCertificates ? describe : describe.skip;

const faultsOf = (resolve: () => unknown): readonly string[] => {
  try {
    resolve();
    return [];
  } catch (error) {
    if (error instanceof KeycloakOptionsError) return error.faults;
    throw error;
  }
};

const MODULE = { allowInsecureRequests: false, issuers: [{ issuer: KEYCLOAK.issuer }] };

describe.each<[string, (tls: unknown, bent?: object) => unknown]>([
  ['forRoot', (tls, bent = {}) => resolveKeycloakOptions({ ...KEYCLOAK, ...bent, tls } as never)],
  ['forFeature', (tls, bent = {}) => resolveServiceOptions('c', { ...SERVICE, ...bent, tls } as never, MODULE)],
  [
    'ServiceHttpModule',
    (tls, bent = {}) => {
      const { baseUrl, ...others } = { ...SERVICE, ...bent };
      const entryPoint = { module: 'ServiceHttpModule', baseUrl: 'baseURL' } as const;
      return resolveServiceOptions('c', { ...others, baseURL: baseUrl, tls } as never, MODULE, entryPoint);
    },
  ],
])('the option tls of %s', (_, resolve) => {
  it.each([
    ['a value that is not an object', 'ca.pem', 'tls must be { caFile }, with the path of a file'],
    ['an object with a misspelt member', { cafile: 'ca.pem' }, 'tls has an unknown member "cafile"'],
    [
      'an object with an option that disables verification',
      { rejectUnauthorized: false },
      'tls has an unknown member "rejectUnauthorized"',
    ],
    ['an empty path', { caFile: ' ' }, 'tls.caFile must be the path of a file'],
    ['a missing file', { caFile: '/nowhere/secret-4711' }, "tls.caFile can't be read (ENOENT)"],
    ['a folder', { caFile: '/' }, "tls.caFile can't be read (EISDIR)"],
    [
      'a file without certificates',
      { caFile: new URL(import.meta.url).pathname },
      'tls.caFile contains no certificate in PEM',
    ],
  ])("can't be %s", (__, tls, fault) => {
    expect(faultsOf(() => resolve(tls))).toEqual([fault]);
  });

  it('is reported together with other faulty options', () => {
    expect(faultsOf(() => resolve({ caFile: '/nowhere' }, { audience: '', timeoutMs: 1 })).length).toBeGreaterThan(1);
  });

  it('may be missing, be empty, or have an undefined caFile', () => {
    expect([undefined, {}, { caFile: undefined }].map((tls) => faultsOf(() => resolve(tls)))).toEqual([[], [], []]);
  });

  withOpenssl('with a file of certificates', () => {
    it('can be the path of a CA file', () => {
      const authority = new TestAuthority();
      expect(resolve({ caFile: authority.caFile() })).toMatchObject({
        tls: { caFile: { path: expect.any(String) as unknown } },
      });
      authority.remove();
    });
  });
});

describe('the environment of the process', () => {
  const before = { ...process.env };
  afterEach(() => {
    for (const name of ['NODE_TLS_REJECT_UNAUTHORIZED', 'NODE_USE_ENV_PROXY', 'HTTPS_PROXY']) delete process.env[name];
    Object.assign(process.env, before);
  });

  it.each([
    ['production', 1],
    [undefined, 1],
    ['development', 0],
  ])('with NODE_ENV %s and disabled TLS verification causes this number of faults: %i', (nodeEnv, faults) => {
    if (nodeEnv === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = nodeEnv;
    expect(faultsOf(() => resolveKeycloakOptions(KEYCLOAK))).toEqual([]);
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    const found = faultsOf(() => resolveKeycloakOptions(KEYCLOAK));
    expect(found.filter((fault) => fault.startsWith('NODE_TLS_REJECT_UNAUTHORIZED is 0'))).toHaveLength(faults);
  });

  it('causes a fault for an invalid proxy URL in HTTPS_PROXY', () => {
    Object.assign(process.env, { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: 'proxy:3128' });
    expect(faultsOf(() => resolveKeycloakOptions(KEYCLOAK))).toEqual([
      'HTTPS_PROXY must be an http(s) URL of a proxy, without path',
    ]);
  });
});
