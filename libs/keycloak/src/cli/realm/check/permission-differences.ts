import { error, note, warning, type Finding } from '../../../checkup/finding.js';
import { clientNamed, mayAskFor, scopeNamed } from '../../administrator/realm-lookup.js';
import { nameOfRoleKey, namesOfRoleKeys, type RoleKey } from '../../administrator/role-key.js';
import type { RealmClient, RealmScope, RealmSnapshot, ScopesOfNewClients } from '../../administrator/realm-snapshot.js';
import { noSuchScope, scopeFaults } from '../../administrator/scope-faults.js';
import { keyOfRole } from '../../policy/holders.js';
import type { RequiredPermission } from '../realm-requirements.js';

export async function permissionDifferences(
  required: RequiredPermission,
  realm: RealmSnapshot,
  file: string,
): Promise<Finding[]> {
  const { name, audience } = required;
  const scope = scopeNamed(realm, name);
  if (scope === undefined) return [noSuchScope(name)];
  const roles = await realm.rolesOf(scope);
  const askers = realm.clients.filter((client) => mayAskFor(client, name));
  return [
    ...protocolFaults(scope),
    ...scopeFaults(realm, scope, audience, { roles, askers }),
    ...otherAudiences(scope, audience),
    ...holderDifferences(required, roles, file),
    ...heldByEveryone(required, roles, await realm.rolesOfEveryone()),
    ...heldByNewUsers(required, roles, await realm.rolesOfDefaultGroups()),
    ...askerDifferences(required, realm, file),
    ...newClientDifferences(required, await realm.scopesOfNewClients(), askers),
  ];
}

const protocolFaults = ({ name, isOpenIdConnect }: RealmScope): Finding[] =>
  isOpenIdConnect
    ? []
    : [
        error(
          'permission',
          `The client scope ${name} is not for OpenID Connect.`,
          'Create it with the protocol OpenID Connect.',
        ),
      ];

function otherAudiences({ name, audiences }: RealmScope, owner: string): Finding[] {
  const named = audiences.map(({ audience }) => audience);
  const others = [...new Set(named)].filter((audience) => audience !== owner);
  if (others.length === 0 || !named.includes(owner)) return [];
  return [
    warning(
      'permission',
      `The client scope ${name} is also for ${others.join(', ')}, so a token stolen at one service opens the others.`,
      `Keep only the audience mapper for ${owner} in the client scope ${name}.`,
    ),
  ];
}

function holderDifferences(
  { name, roles, everyone }: RequiredPermission,
  mapped: readonly RoleKey[],
  file: string,
): Finding[] {
  const at = `at the client scope ${name} (Scope)`;
  if (everyone === true) {
    if (mapped.length === 0) return [];
    return [
      error(
        'permission',
        `Everyone may hold ${name} by ${file}, but the realm gives it only with ${namesOfRoleKeys(mapped)}.`,
        `Remove the roles ${at}, or name them in ${file}.`,
      ),
    ];
  }
  const required = (roles ?? []).map(keyOfRole);
  if (mapped.length === 0) {
    return [
      error(
        'permission',
        `Every user and service account may hold ${name}, but only ${namesOfRoleKeys(required)} may by ${file}.`,
        `Assign these roles ${at}.`,
      ),
    ];
  }
  const missing = required.filter((role) => !mapped.includes(role));
  const more = mapped.filter((role) => !required.includes(role));
  return [
    ...missing.map((role) =>
      error('permission', `Users with the role ${nameOfRoleKey(role)} may not hold ${name}.`, `Assign the role ${at}.`),
    ),
    ...more.map((role) =>
      warning(
        'permission',
        `Users with the role ${nameOfRoleKey(role)} may hold ${name}, which ${file} does not say.`,
        `Remove the role ${at}, or name it in ${file}.`,
      ),
    ),
  ];
}

function heldByEveryone(
  { name, everyone }: RequiredPermission,
  mapped: readonly RoleKey[],
  rolesOfEveryone: ReadonlySet<RoleKey>,
): Finding[] {
  const open = mapped.filter((role) => rolesOfEveryone.has(role));
  return everyone === true
    ? []
    : open.map((role) =>
        error(
          'permission',
          `Every user and service account may hold ${name}, because the realm's default role gives everyone the role ${nameOfRoleKey(role)}.`,
          `Remove the role at the client scope ${name} (Scope), or from the default roles (Realm settings, User registration).`,
        ),
      );
}

function heldByNewUsers(
  { name, everyone }: RequiredPermission,
  mapped: readonly RoleKey[],
  groups: ReadonlyMap<string, ReadonlySet<RoleKey>> = new Map(),
): Finding[] {
  if (everyone === true) return [];
  return [...groups].flatMap(([path, roles]) =>
    mapped
      .filter((role) => roles.has(role))
      .map((role) =>
        warning(
          'permission',
          `Each new user may hold ${name}, because the default group ${path} has the role ${nameOfRoleKey(role)}.`,
          `Remove the role from the group ${path}, or the group from the default groups (Realm settings, User registration).`,
        ),
      ),
  );
}

function newClientDifferences(
  { name, clients }: RequiredPermission,
  { byDefault, optional }: ScopesOfNewClients,
  askers: readonly RealmClient[],
): Finding[] {
  if (![...byDefault, ...optional].includes(name)) {
    const isAsked = askers.length > 0 || clients.length > 0;
    return isAsked ? [] : [note('permission', `No client may ask for ${name}.`, ADD_SCOPE)];
  }
  return [
    warning(
      'permission',
      `Each new client of the realm may ask for ${name}.`,
      `Set the assigned type of the client scope ${name} to None (Client scopes).`,
    ),
  ];
}

const ADD_SCOPE = 'Add the client scope to the calling clients, as optional.';

function askerDifferences({ name, clients }: RequiredPermission, realm: RealmSnapshot, file: string): Finding[] {
  const missing = clients.flatMap((clientId) => {
    const client = clientNamed(realm, clientId);
    if (client === undefined) {
      return [error('client', `The realm has no client ${clientId}, which asks for ${name}.`, 'Create the client.')];
    }
    if (!client.isEnabled) return [error('client', `${clientId} is disabled.`, `Enable the client ${clientId}.`)];
    if (mayAskFor(client, name)) return [];
    return [
      error(
        'permission',
        `${clientId} may not ask for ${name}.`,
        `Add it at the client ${clientId} (Client scopes), as optional.`,
      ),
    ];
  });
  const more = realm.clients.filter((client) => mayAskFor(client, name) && !clients.includes(client.clientId));
  const unasked = realm.clients.filter(({ defaultScopes }) => defaultScopes.includes(name));
  return [
    ...missing,
    ...more.map(({ clientId }) =>
      warning(
        'permission',
        `${clientId} may ask for ${name}, which no module needs.`,
        `Remove it at the client ${clientId} (Client scopes), or name the client in ${file}.`,
      ),
    ),
    ...unasked.map(({ clientId }) =>
      warning(
        'permission',
        `${name} is a default scope of ${clientId}, so each of its tokens gets it.`,
        `Make it optional at the client ${clientId} (Client scopes).`,
      ),
    ),
  ];
}
