import { error, note, ok, warning, type Finding } from '../../../checkup/finding.js';
import { permittedCalls } from '../../administrator/permitted-calls.js';
import type { RealmSnapshot } from '../../administrator/realm-snapshot.js';
import type { RealmRequirements, RequiredLevel } from '../realm-requirements.js';
import { clientDifferences } from './client-differences.js';
import { permissionDifferences } from './permission-differences.js';

/** `knownPermissions` are permissions of the policy that the given modules do not need, but perhaps others. */
export async function realmDifferences(
  requirements: RealmRequirements,
  realm: RealmSnapshot,
  knownPermissions: Iterable<string> = [],
): Promise<Finding[]> {
  const { clients, permissions, levels } = requirements;
  const findings: Finding[] = [];
  for (const client of clients) {
    const differences = await clientDifferences(client, requirements, realm);
    findings.push(...differences, ...wellIfNone(differences, ok('client', `${client.clientId} is as required.`)));
  }
  for (const permission of permissions) {
    const differences = await permissionDifferences(permission, realm);
    findings.push(...differences, ...wellIfNone(differences, ok('permission', `${permission.name} is as required.`)));
  }
  return [
    ...findings,
    ...levels.flatMap((level) => levelDifferences(level, realm)),
    ...furtherPermissions(requirements, realm, new Set(knownPermissions)),
    ...audiencesOfEachToken(requirements, realm),
  ];
}

const wellIfNone = (differences: readonly Finding[], well: Finding): Finding[] =>
  differences.some(({ level }) => level !== 'note') ? [] : [well];

/** Keycloak knows a number without a mapping of names. */
function levelDifferences({ acr, services }: RequiredLevel, { settings, clients }: RealmSnapshot): Finding[] {
  const names = new Set([...settings.levelNames, ...clients.flatMap(({ levelNames }) => levelNames)]);
  if (acr.some((value) => names.has(value) || /^\d+$/.test(value))) {
    return [
      note(
        'realm_settings',
        `${services.join(', ')} demands acr ${acr.join(' or ')}. Whether a login flow reaches it was not checked.`,
      ),
    ];
  }
  return [
    error(
      'realm_settings',
      `${services.join(', ')} demands acr ${acr.join(' or ')}, but the realm maps no level of authentication to it.`,
      'Add it to "ACR to LoA Mapping" (Realm settings, General), and to the login flow.',
    ),
  ];
}

/** A token with such a permission is valid at each route that demands no permission. */
function furtherPermissions(
  { clients, permissions }: RealmRequirements,
  { scopes }: RealmSnapshot,
  known: ReadonlySet<string>,
): Finding[] {
  const planned = new Set(clients.map(({ clientId }) => clientId));
  const required = new Set(permissions.map(({ name }) => name));
  return scopes
    .filter(({ name }) => !required.has(name) && !known.has(name))
    .flatMap(({ name, audiences }) => {
      const owners = [...new Set(audiences.map(({ audience }) => audience))].filter((owner) => planned.has(owner));
      return owners.length === 0
        ? []
        : [
            warning(
              'permission',
              `The client scope ${name} is for ${owners.join(', ')}, but no module demands it.`,
              `Delete the client scope ${name}, or name it in keycloak-permissions.json if another module needs it.`,
            ),
          ];
    });
}

function audiencesOfEachToken({ clients }: RealmRequirements, realm: RealmSnapshot): Finding[] {
  const planned = new Set(clients.map(({ clientId }) => clientId));
  return permittedCalls(realm)
    .filter(({ client, audience, isInEachToken }) => isInEachToken && planned.has(audience) && client !== audience)
    .map(({ client, audience }) =>
      warning(
        'permission',
        `Each token of ${client} is for ${audience}, whatever its scope, so it opens routes of ${audience} that demand no permission.`,
        `Remove the audience mapper for ${audience} from ${client}, or its default client scope.`,
      ),
    );
}
