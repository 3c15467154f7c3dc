import { describe, expect, it } from '@jest/globals';
import type { Checkup } from '../../checkup/checkup.js';
import type { RealmSnapshot } from '../administrator/realm-snapshot.js';
import { realmWideFindings } from './realm-findings.js';

async function versionFinding(version: string) {
  const settings = { bruteForceProtected: true, sslRequired: 'external', ssoSessionMaxLifespan: 60 };
  const realm = { version, features: [], settings, scopes: [], clients: [] } as object as RealmSnapshot;
  const checkup = { options: { revocationRetentionSeconds: 60 } } as object as Checkup;
  return (await realmWideFindings(realm, checkup)).find(({ check }) => check === 'version');
}

describe('the finding about the version of Keycloak', () => {
  it.each([
    ['26.7.5', 'ok', 'The tests run against Keycloak 26.7.'],
    ['26.5.6', 'note', 'This is Keycloak 26.5.6, and the tests run against 26.4, 26.6 and 26.7.'],
  ])('has no word about impersonation: %s', async (version, level, message) => {
    expect(await versionFinding(version)).toMatchObject({ level, message });
  });

  it.each(['26.8.0', '26.10.1', '27.0.0'])(
    'says that no token of an impersonated user is exchanged: %s',
    async (version) => {
      expect(await versionFinding(version)).toMatchObject({
        level: 'note',
        message: expect.stringContaining('(delegation_token_refused)') as unknown,
      });
    },
  );
});

it.each([
  [['RESOURCE_INDICATORS', 'CIMD'], ['warning']],
  [['CIMD'], []],
])('the findings for a server with the features %j', async (features, levels) => {
  const options = { clientId: 'tools', protectedResource: [{ resource: 'https://tools.example.com/mcp' }] };
  const realm = { features, settings: {}, scopes: [], clients: [] } as unknown as RealmSnapshot;
  const findings = await realmWideFindings(realm, { options } as object as Checkup);
  const found = findings.filter(({ message }) => message.includes('resource-indicators'));
  expect(found.map(({ level }) => level)).toEqual(levels);
});

it.each([
  ['external', 'the realm demands TLS of clients outside private networks'],
  ['all', 'the realm demands TLS of every client'],
])(
  "the finding about the realm's settings says that this is a demand of the realm: %s",
  async (sslRequired, demand) => {
    const settings = { bruteForceProtected: true, sslRequired, ssoSessionMaxLifespan: 60 };
    const realm = { features: [], settings, scopes: [], clients: [] } as unknown as RealmSnapshot;
    const findings = await realmWideFindings(realm, { options: { revocationRetentionSeconds: 60 } } as Checkup);
    expect(findings.find(({ check }) => check === 'realm_settings')).toEqual({
      check: 'realm_settings',
      level: 'ok',
      message: `Brute force detection is on, ${demand}, and sessions expire before denials do.`,
    });
  },
);
