import { error, note, type Finding } from '../../../checkup/finding.js';
import { clientNamed } from '../../administrator/realm-lookup.js';
import type { RealmSnapshot } from '../../administrator/realm-snapshot.js';
import { nameOfRoleKey } from '../../administrator/role-key.js';
import { allRoles } from '../formats/scope-representations.js';
import { tokenFaults } from './token-faults.js';
import { keyOfRole } from '../../policy/holders.js';
import { sortedTexts, type RealmRequirements } from '../realm-requirements.js';

export async function settingsDifferences(requirements: RealmRequirements, realm: RealmSnapshot): Promise<Finding[]> {
  return [
    ...(realm.settings.isEnabled
      ? []
      : [error('realm_settings', 'The realm is disabled.', 'Enable the realm ("enabled": true in a realm file).')]),
    ...(await absentRoles(requirements, realm)),
    ...audiencesWithoutClient(requirements, realm),
    ...furtherClients(requirements, realm),
    ...((await realm.rolesOfDefaultGroups()) === undefined
      ? [note('permission', 'This administrator may not see the roles of default groups (view-users).')]
      : []),
  ];
}

async function absentRoles(requirements: RealmRequirements, realm: RealmSnapshot): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const role of new Set(allRoles(requirements).map(keyOfRole))) {
    if (await realm.hasRole(role)) continue;
    findings.push(
      error('permission', `The realm has no role ${nameOfRoleKey(role)}.`, 'Create the role, or correct its name.'),
    );
  }
  return findings;
}

function audiencesWithoutClient({ clients, permissions }: RealmRequirements, realm: RealmSnapshot): Finding[] {
  const planned = new Set(clients.map(({ clientId }) => clientId));
  const audiences = sortedTexts(permissions.map(({ audience }) => audience)).filter((each) => !planned.has(each));
  return audiences
    .filter((audience) => clientNamed(realm, audience)?.isEnabled !== true)
    .map((audience) =>
      error(
        'client',
        `The realm has no enabled client ${audience}, so Keycloak exchanges no token for it.`,
        `Create or enable the client ${audience}, or correct \`audience\` where it is called.`,
      ),
    );
}

function furtherClients({ otherClients, permissions }: RealmRequirements, realm: RealmSnapshot): Finding[] {
  const askers = new Set(permissions.flatMap(({ clients }) => clients));
  return otherClients
    .filter((clientId) => askers.has(clientId))
    .flatMap((clientId) => {
      const client = clientNamed(realm, clientId);
      return client === undefined ? [] : tokenFaults(client, realm);
    });
}
