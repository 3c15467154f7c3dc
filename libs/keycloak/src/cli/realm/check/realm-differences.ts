import { error, ok, warning, type Finding } from '../../../checkup/finding.js';
import { permittedCalls } from '../../administrator/permitted-calls.js';
import type { RealmSnapshot } from '../../administrator/realm-snapshot.js';
import { PERMISSIONS_FILE } from '../../policy/permission-policy.js';
import type { RealmRequirements, RequiredLevel } from '../realm-requirements.js';
import { clientDifferences } from './client-differences.js';
import { settingsDifferences } from './settings-differences.js';
import { permissionDifferences } from './permission-differences.js';

interface Policy {
  readonly file?: string;
  readonly known?: Iterable<string>;
}

export async function realmDifferences(
  requirements: RealmRequirements,
  realm: RealmSnapshot,
  { file = PERMISSIONS_FILE, known = [] }: Policy = {},
): Promise<Finding[]> {
  const { clients, permissions, levels } = requirements;
  const findings = await settingsDifferences(requirements, realm);
  for (const client of clients) {
    const differences = await clientDifferences(client, requirements, realm, file);
    findings.push(...differences, ...wellIfNone(differences, ok('client', `${client.clientId} is as required.`)));
  }
  for (const permission of permissions) {
    const differences = await permissionDifferences(permission, realm, file);
    findings.push(...differences, ...wellIfNone(differences, ok('permission', `${permission.name} is as required.`)));
  }
  for (const level of levels) findings.push(...(await levelDifferences(level, realm)));
  return [
    ...findings,
    ...furtherPermissions(requirements, realm, new Set(known), file),
    ...audiencesOfEachToken(requirements, realm),
    ...(await audiencesOfNewClients(requirements, realm)),
  ];
}

const wellIfNone = (differences: readonly Finding[], well: Finding): Finding[] =>
  differences.some(({ level }) => level !== 'note') ? [] : [well];

async function levelDifferences({ acr, services }: RequiredLevel, realm: RealmSnapshot): Promise<Finding[]> {
  const demand = `${services.join(', ')} demands acr ${acr.join(' or ')}`;
  const numbers = acr.flatMap((value) => levelsNamed(value, realm));
  if (numbers.length === 0) {
    return [
      error(
        'realm_settings',
        `${demand}, but the realm maps no level of authentication to it.`,
        'Add it to "ACR to LoA Mapping" (Realm settings, General), and to the login flow.',
      ),
    ];
  }
  const highest = Math.max(LEVEL_OF_ANY_LOGIN, ...(await realm.levelsOfLogin()));
  return [
    numbers.some((number) => number <= highest)
      ? ok('realm_settings', `${demand}, which the browser flow reaches.`)
      : warning(
          'realm_settings',
          `${demand}, but the browser flow reaches only level ${highest}.`,
          'Add the condition "Level of Authentication" to the browser flow, unless a client has its own flow.',
        ),
  ];
}

const LEVEL_OF_ANY_LOGIN = 1;

/** Keycloak accepts a number as `acr` without a mapping of names. */
function levelsNamed(acr: string, { settings, clients }: RealmSnapshot): readonly number[] {
  const named = [settings, ...clients].flatMap(({ levels }) => levels.get(acr) ?? []);
  return /^\d{1,9}$/.test(acr) ? [...named, Number(acr)] : named;
}

/** A token with an unplanned permission is valid at every route that demands no permission. */
function furtherPermissions(
  { clients, permissions }: RealmRequirements,
  { scopes }: RealmSnapshot,
  known: ReadonlySet<string>,
  file: string,
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
              `Delete the client scope ${name}, or name it in ${file} if another module needs it.`,
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

async function audiencesOfNewClients({ clients }: RealmRequirements, realm: RealmSnapshot): Promise<Finding[]> {
  const { byDefault } = await realm.scopesOfNewClients();
  const planned = clients.map(({ clientId }) => clientId);
  return realm.scopes
    .filter(({ name }) => byDefault.includes(name))
    .flatMap(({ name, audiences }) =>
      planned
        .filter((clientId) => audiences.some(({ audience }) => audience === clientId))
        .map((clientId) =>
          warning(
            'permission',
            `Each token of each new client is for ${clientId}, because ${name} is a default client scope of the realm.`,
            `Set the assigned type of the client scope ${name} to Optional or None (Client scopes).`,
          ),
        ),
    );
}
