import type { Checkup } from '../../checkup/checkup.js';
import { error, note, ok, warning, type Finding } from '../../checkup/finding.js';
import { resourceIndicatorFindings } from '../../checkup/protected-resource-findings.js';
import { namesOf } from '../administrator/realm-lookup.js';
import type { RealmSnapshot } from '../administrator/realm-snapshot.js';

const TESTED_VERSION = /^26\.[467]\./;

export async function realmWideFindings(
  realm: RealmSnapshot,
  { options }: Pick<Checkup, 'options'>,
): Promise<Finding[]> {
  return [
    versionFinding(realm.version),
    ...settingsFindings(realm, options.revocationRetentionSeconds),
    ...wideScopes(realm),
    ...disabledClients(realm),
    ...(realm.features.includes('RESOURCE_INDICATORS') ? resourceIndicatorFindings(options) : []),
  ];
}

function versionFinding(version: string | undefined): Finding {
  if (version === undefined) return note('version', "This administrator may not see Keycloak's version.");
  if (TESTED_VERSION.test(version))
    return ok('version', `The tests run against Keycloak ${version.split('.').slice(0, 2).join('.')}.`);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < 26 || (major === 26 && minor < 2)
    ? error(
        'version',
        `Keycloak ${version} does not support standard token exchange.`,
        'Update Keycloak to 26.2 or newer.',
      )
    : note(
        'version',
        `This is Keycloak ${version}, and the tests run against 26.4, 26.6 and 26.7.${isSince268(major, minor) ? OF_26_8 : ''}`,
      );
}

const isSince268 = (major: number, minor: number): boolean => major > 26 || (major === 26 && minor >= 8);

const OF_26_8 =
  ' Since 26.8, Keycloak does not exchange the tokens of an impersonated user, so calls on behalf of this user fail (delegation_token_refused).';

function settingsFindings({ settings }: RealmSnapshot, revocationRetentionSeconds: number): Finding[] {
  const { bruteForceProtected, sslRequired, unmanagedAttributes, ssoSessionMaxLifespan } = settings;
  const findings = [
    ...(bruteForceProtected
      ? []
      : [
          warning(
            'realm_settings',
            'The realm does not limit password guesses.',
            'Switch on brute force detection (Realm settings, Security defenses).',
          ),
        ]),
    ...(sslRequired === 'none'
      ? [
          warning(
            'realm_settings',
            'The realm accepts http: from every address.',
            'Set Require SSL to External requests.',
          ),
        ]
      : []),
    ...(unmanagedAttributes === 'ENABLED'
      ? [
          warning(
            'realm_settings',
            'Users may give themselves any attribute (unmanaged attributes), and a mapper may add it to tokens.',
            'Switch unmanaged attributes off, or allow only administrators to write them.',
          ),
        ]
      : []),
    ...(ssoSessionMaxLifespan > revocationRetentionSeconds
      ? [
          warning(
            'realm_settings',
            `A session may last ${ssoSessionMaxLifespan} s (SSO Session Max), longer than a denial is kept (revocationRetentionSeconds, ${revocationRetentionSeconds} s).`,
            'Raise revocationRetentionSeconds to SSO Session Max.',
          ),
        ]
      : []),
  ];
  return findings.length > 0
    ? findings
    : [
        ok(
          'realm_settings',
          `Brute force detection is on, the realm demands TLS of ${sslRequired === 'all' ? 'every client' : 'clients outside private networks'}, and sessions expire before denials do.`,
        ),
      ];
}

const wideScopes = ({ scopes }: RealmSnapshot): Finding[] =>
  scopes
    .filter(({ audiences }) => new Set(audiences.map(({ audience }) => audience)).size > 1)
    .map(({ name, audiences }) =>
      warning(
        'permission',
        `The client scope ${name} is for ${audiences.map(({ audience }) => audience).join(', ')}, so a token stolen at one of them opens the others.`,
        'Keep one audience mapper in each client scope.',
      ),
    );

function disabledClients({ clients }: RealmSnapshot): Finding[] {
  const disabled = clients.filter(({ isEnabled }) => !isEnabled);
  return disabled.length === 0 ? [] : [note('client', `Disabled clients of the realm: ${namesOf(disabled)}.`)];
}
