import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CERTIFICATE } from '../spec-support/certificate.js';
import { readServiceSettings } from './service-settings.js';
import { audienceOf, moduleOptionsOf } from './several-issuers.js';
import { SettingsError, type Environment } from './variables.js';

const SERVICE = { name: 'service-b', port: 3001, calls: { 'service-c': {}, 'service-d': {} } } as const;
const SECRET = 'of-my-own-4711';
const OWN = 'https://sso.example.com/realms/shop';

const GOOD: Environment = {
  NODE_ENV: 'production',
  KEYCLOAK_BASE_URL: 'https://sso.example.com',
  KEYCLOAK_REALM: 'shop',
  SERVICE_B_CLIENT_SECRET: SECRET,
  SERVICE_C_URL: 'https://service-c.internal',
  SERVICE_D_URL: 'https://service-d.internal',
};

const folder = mkdtempSync(join(tmpdir(), 'other-issuers-'));
const file = join(folder, 'other-issuers.json');
const secretFile = join(folder, 'secret');
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => writeFileSync(secretFile, `${SECRET}\n`));

const PARTNER = {
  issuer: 'https://sso.partner.example/realms/partner',
  clientSecretFile: secretFile,
  acceptedScopes: ['orders.approve'],
};

function read(text: string, change: Environment = {}): ReturnType<typeof readServiceSettings> {
  writeFileSync(file, text);
  return readServiceSettings({ ...GOOD, OTHER_ISSUERS_FILE: file, ...change }, SERVICE);
}

function faults(content: unknown, change: Environment = {}): readonly string[] {
  try {
    read(typeof content === 'string' ? content : JSON.stringify(content), change);
  } catch (error) {
    // All values that could be secret contain the number 4711.
    if (!(error instanceof SettingsError) || error.message.includes('4711')) throw error;
    return error.faults;
  }
  return [];
}

describe('OTHER_ISSUERS_FILE', () => {
  it('has no effect if the variable is not set', () => {
    const settings = readServiceSettings(GOOD, SERVICE);
    expect(settings).not.toHaveProperty('otherIssuers');
    expect(read('[]', { OTHER_ISSUERS_FILE: ' ' })).toEqual(settings);
    expect(moduleOptionsOf(settings)).toBe(settings.keycloak);
    expect(audienceOf('service-c', settings)).toBe('service-c');
  });

  it('accepts the file that docs/operations.md shows as an example', () => {
    const shown = readFileSync(new URL('../spec-support/other-issuers.json', import.meta.url), 'utf8');
    const { otherIssuers } = read(shown.replace('/run/secrets/partner-client-secret', secretFile));
    expect(otherIssuers).toEqual([
      {
        options: {
          issuer: 'https://sso.partner.example/realms/partner',
          clientId: 'our-orders',
          clientAuthentication: { connect: expect.any(Function) as unknown },
          acceptedScopes: ['orders.approve'],
        },
        audiences: { 'service-c': 'our-analytics' },
      },
    ]);
  });

  it('adds issuers after the first issuer, each with a client of the service', () => {
    const second = {
      ...PARTNER,
      issuer: 'https://sso.other.example/realms/other/',
      baseUrl: 'https://keycloak.internal/',
      clientId: 'ours',
      acceptedScopes: [],
    };
    const { keycloak, otherIssuers = [] } = read(JSON.stringify([PARTNER, second]), { SERVICE_B_CLIENT_ID: 'b' });
    const connects = { connect: expect.any(Function) as unknown };
    const { issuer, internalServerUrl, clientId, clientSecret, tls, ...common } = keycloak;
    expect(moduleOptionsOf({ keycloak, otherIssuers })).toEqual({
      ...common,
      issuers: [
        { issuer, internalServerUrl, clientId, clientSecret, tls },
        { issuer: PARTNER.issuer, clientId: 'b', clientAuthentication: connects, acceptedScopes: ['orders.approve'] },
        {
          issuer: 'https://sso.other.example/realms/other',
          internalServerUrl: 'https://keycloak.internal',
          clientId: 'ours',
          clientAuthentication: connects,
          acceptedScopes: [],
        },
      ],
    });
    expect([issuer, clientId, clientSecret]).toEqual([OWN, 'b', SECRET]);
  });

  it('reads the certificate authorities of each server from a file', () => {
    const caFile = join(folder, 'ca.pem');
    writeFileSync(caFile, CERTIFICATE);
    const { keycloak, otherIssuers } = read(JSON.stringify([{ ...PARTNER, caFile }]));
    expect([keycloak.tls, otherIssuers?.map(({ options }) => options.tls)]).toEqual([{}, [{ caFile }]]);
  });

  it('sets the audience of a called service for each added issuer', () => {
    const second = { ...PARTNER, issuer: 'https://sso.other.example/realms/other' };
    const settings = read(
      JSON.stringify([
        { ...PARTNER, audiences: { 'service-c': 'our-analytics' } },
        { ...second, audiences: {} },
      ]),
    );
    expect(audienceOf('service-c', settings)).toEqual({ [OWN]: 'service-c', [PARTNER.issuer]: 'our-analytics' });
    expect(audienceOf('service-d', settings)).toEqual({ [OWN]: 'service-d' });
  });

  it.each<[string, unknown, string[]]>([
    ['is not JSON', '[{ "issuer": "4711', ['OTHER_ISSUERS_FILE points to a file that is not JSON']],
    ['does not contain a list', PARTNER, ['OTHER_ISSUERS_FILE must contain a list of 1 to 99 issuers']],
    ['contains null', 'null', ['OTHER_ISSUERS_FILE must contain a list of 1 to 99 issuers']],
    ['contains an empty list', [], ['OTHER_ISSUERS_FILE must contain a list of 1 to 99 issuers']],
    [
      'contains too many issuers',
      Array.from({ length: 100 }, () => PARTNER),
      ['OTHER_ISSUERS_FILE must contain a list of 1 to 99 issuers'],
    ],
    [
      'contains strings or lists',
      [PARTNER.issuer, [PARTNER]],
      [0, 1].map((at) => `OTHER_ISSUERS_FILE[${at}] must be an object with issuer, clientSecretFile and so on`),
    ],
  ])('stops the start if the file %s', (_, content, expected) => {
    expect(faults(content)).toEqual(expected);
  });

  it('stops the start if the file does not exist', () => {
    expect(faults([PARTNER], { OTHER_ISSUERS_FILE: join(folder, 'none-4711') })).toEqual([
      "OTHER_ISSUERS_FILE points to a file that can't be read (ENOENT)",
    ]);
  });

  it.each<[string, object, string]>([
    ['no issuer', { issuer: undefined }, '.issuer must be given'],
    ['an issuer that is not a string', { issuer: 4711 }, '.issuer must be a string that is not empty'],
    ['an issuer that is not a URL', { issuer: '4711' }, '.issuer must be an http(s) URL'],
    ['an issuer without TLS', { issuer: 'http://partner/realms/4711' }, '.issuer must be https: in production'],
    [
      'an issuer that is not a realm',
      { issuer: 'https://sso.partner.example/4711' },
      '.issuer must end in /realms/<realm>',
    ],
    ['a server without TLS', { baseUrl: 'http://keycloak:4711' }, '.baseUrl must be https: in production'],
    ['an empty client id', { clientId: ' ' }, '.clientId must be a string that is not empty'],
    ['no secret', { clientSecretFile: undefined }, '.clientSecretFile must be given'],
    [
      'a missing secret file',
      { clientSecretFile: join(folder, 'x-4711') },
      ".clientSecretFile points to a file that can't be read (ENOENT)",
    ],
    ['a secret in place of its file', { clientSecret: SECRET }, ' has an unknown member "clientSecret"'],
    ['a missing CA file', { caFile: join(folder, 'x-4711') }, ".caFile points to a file that can't be read (ENOENT)"],
    [
      'a CA file without certificates',
      { caFile: secretFile },
      '.caFile points to a file that contains no certificate in PEM',
    ],
    ['no scopes', { acceptedScopes: undefined }, '.acceptedScopes must be a list of scopes'],
    ['scopes in one text', { acceptedScopes: 'a b' }, '.acceptedScopes must be a list of scopes'],
    ['a scope with a blank', { acceptedScopes: ['a b'] }, '.acceptedScopes must be a list of scopes'],
    [
      'a list of audiences',
      { audiences: ['4711'] },
      '.audiences must be an object that maps service names to client ids',
    ],
    [
      'an audience that is not a text',
      { audiences: { 'service-c': 4711 } },
      '.audiences.service-c must be a string that is not empty',
    ],
    [
      'an audience of an unknown service',
      { audiences: { 'service-e': 'x' } },
      '.audiences names "service-e", which this service does not call',
    ],
    ['an unknown member', { accept: true }, ' has an unknown member "accept"'],
  ])('stops the start for an entry with %s', (_, change, fault) => {
    const other = { ...PARTNER, issuer: 'https://sso.other.example/realms/other' };
    expect(faults([other, { ...PARTNER, ...change }])).toEqual([
      expect.stringContaining(`OTHER_ISSUERS_FILE[1]${fault}`),
    ]);
  });

  it('is refused if it lists an issuer twice, or the first issuer of the service', () => {
    const fault = 'issuer must differ from the issuer of the service and of earlier entries';
    const other = { ...PARTNER, issuer: `${PARTNER.issuer}/` };
    expect(faults([PARTNER, { ...PARTNER, issuer: OWN }, other])).toEqual([
      `OTHER_ISSUERS_FILE[1].${fault}`,
      `OTHER_ISSUERS_FILE[2].${fault}`,
    ]);
  });

  it('is refused with an empty secret, or with a published secret outside demo mode', () => {
    writeFileSync(secretFile, 'b-secret');
    expect(faults([PARTNER])).toEqual([
      expect.stringContaining('OTHER_ISSUERS_FILE[0].clientSecretFile is a published demo secret'),
    ]);
    expect(faults([PARTNER], { NODE_ENV: 'development', DEMO_MODE: 'true' })).toEqual([]);
    writeFileSync(secretFile, '\n');
    expect(faults([PARTNER])).toEqual(['OTHER_ISSUERS_FILE[0].clientSecretFile points to an empty file']);
    writeFileSync(secretFile, 'the-secret-4711\nits comment');
    expect(faults([PARTNER])).toEqual([
      expect.stringMatching(/^OTHER_ISSUERS_FILE\[0\]\.clientSecretFile: .* line break/),
    ]);
  });

  it('may contain http: if KEYCLOAK_ALLOW_INSECURE_REQUESTS is set (RS-04)', () => {
    const insecure = { ...PARTNER, issuer: 'http://localhost:8080/realms/partner', baseUrl: 'http://keycloak:8080' };
    expect(faults([insecure], { KEYCLOAK_ALLOW_INSECURE_REQUESTS: 'true' })).toEqual([]);
  });

  it('is reported together with the faults of other settings', () => {
    expect(faults([{ issuer: 'x', more: 1 }], { PORT: 'x', KEYCLOAK_REALM: '' })).toEqual([
      'KEYCLOAK_REALM is not set',
      ...[
        ' has an unknown member "more"',
        '.clientSecretFile must be given',
        '.issuer must be an http(s) URL',
        '.acceptedScopes must be a list of scopes',
      ].map((fault) => `OTHER_ISSUERS_FILE[0]${fault}`),
      'PORT must be a port number from 0 to 65535',
    ]);
  });
});
