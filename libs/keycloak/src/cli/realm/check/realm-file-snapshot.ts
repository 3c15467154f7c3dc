import type { Representation } from '../../administrator/admin-api.js';
import { clientOf, scopeOf, settingsOf, type RealmSnapshot } from '../../administrator/realm-snapshot.js';
import { LEVEL_CONDITION, levelOf } from '../../administrator/authentication-levels.js';
import { defaultRoleOf, REALM_ROLES_OF_EVERYONE } from '../../administrator/default-roles.js';
import { clientRoleKeys, realmRoleKeys, roleKey, type RoleKey } from '../../administrator/role-key.js';
import { listOf, recordOf, textOf, textsOf } from '../../administrator/representation.js';
import { readJson } from '../../read-json.js';
import { UsageError } from '../../usage-error.js';

export function readRealmFile(path: string): RealmSnapshot {
  const realm = recordOf(readJson(path));
  if (textOf(realm['realm']) === '') throw new UsageError(`${path} is not a realm file: it has no "realm"`);
  return snapshotOfFile(realm);
}

export function snapshotOfFile(realm: Representation): RealmSnapshot {
  const composites = compositesIn(realm);
  const byDefault = {
    fullScopeAllowed: true,
    defaultClientScopes: realm['defaultDefaultClientScopes'],
    optionalClientScopes: realm['defaultOptionalClientScopes'],
  };
  const accounts = new Map(
    listOf(realm['users'])
      .map(recordOf)
      .map((user) => [textOf(user['serviceAccountClientId']), user]),
  );
  return {
    version: undefined,
    settings: settingsOf(realm, undefined),
    clients: listOf(realm['clients']).map((client) => {
      const given = recordOf(client);
      return clientOf({ ...byDefault, ...given, id: given['clientId'] });
    }),
    scopes: listOf(realm['clientScopes']).map((scope) => {
      const given = recordOf(scope);
      return scopeOf({ ...given, id: given['name'] });
    }),
    rolesOf: async ({ name }) => [...withComposites(rolesMappedTo(realm, name), composites)],
    rolesOfServiceAccount: async ({ clientId, hasServiceAccount }) => {
      if (!hasServiceAccount) return undefined;
      const user = accounts.get(clientId);
      return withComposites(user === undefined ? [] : rolesOfUser(user), composites);
    },
    rolesOfEveryone: async () => withComposites(rolesByDefault(realm), composites),
    scopesOfNewClients: async () => [
      ...textsOf(realm['defaultDefaultClientScopes']),
      ...textsOf(realm['defaultOptionalClientScopes']),
    ],
    levelsOfLogin: async () => levelsIn(realm, textOf(realm['browserFlow'])),
    acknowledgedEvents: async () => undefined,
  };
}

/** Keycloak adds the last of them to the default role of each realm. */
const rolesByDefault = (realm: Representation): readonly RoleKey[] => [
  ...realmRoleKeys([
    textOf(recordOf(realm['defaultRole'])['name']) || defaultRoleOf(textOf(realm['realm'])),
    ...textsOf(realm['defaultRoles']),
  ]),
  ...REALM_ROLES_OF_EVERYONE,
];

function levelsIn(realm: Representation, alias: string, above: readonly string[] = []): readonly number[] {
  if (above.includes(alias)) return [];
  const flow = listOf(realm['authenticationFlows'])
    .map(recordOf)
    .find((each) => each['alias'] === alias);
  const configs = listOf(realm['authenticatorConfig']).map(recordOf);
  return listOf(flow?.['authenticationExecutions'])
    .map(recordOf)
    .filter(({ requirement }) => requirement !== 'DISABLED')
    .flatMap(({ authenticator, authenticatorConfig, flowAlias }) => {
      if (typeof flowAlias === 'string') return levelsIn(realm, flowAlias, [...above, alias]);
      const config = configs.find((each) => each['alias'] === authenticatorConfig);
      return authenticator === LEVEL_CONDITION && config !== undefined ? [levelOf(config)] : [];
    });
}

function rolesMappedTo(realm: Representation, scope: string): readonly RoleKey[] {
  const of = (mappings: unknown): readonly string[] =>
    listOf(mappings)
      .map(recordOf)
      .filter(({ clientScope }) => clientScope === scope)
      .flatMap(({ roles }) => textsOf(roles));
  const ofClients = Object.entries(recordOf(realm['clientScopeMappings'])).flatMap(([client, mappings]) =>
    clientRoleKeys(client, of(mappings)),
  );
  return [...realmRoleKeys(of(realm['scopeMappings'])), ...ofClients];
}

const rolesOfUser = (user: Representation): readonly RoleKey[] => [
  ...realmRoleKeys(textsOf(user['realmRoles'])),
  ...rolesByClient(user['clientRoles']),
];

const rolesByClient = (json: unknown): readonly RoleKey[] =>
  Object.entries(recordOf(json)).flatMap(([client, roles]) => clientRoleKeys(client, textsOf(roles)));

type Composites = ReadonlyMap<RoleKey, readonly RoleKey[]>;

function compositesIn(realm: Representation): Composites {
  const { realm: ofRealm, client: ofClients } = recordOf(realm['roles']);
  const entryOf = (role: unknown, owner: string | null): readonly [RoleKey, readonly RoleKey[]] => {
    const { name, composites } = recordOf(role);
    const { realm: realmRoles, client } = recordOf(composites);
    return [roleKey(owner, textOf(name)), [...realmRoleKeys(textsOf(realmRoles)), ...rolesByClient(client)]];
  };
  return new Map([
    ...listOf(ofRealm).map((role) => entryOf(role, null)),
    ...Object.entries(recordOf(ofClients)).flatMap(([client, roles]) =>
      listOf(roles).map((role) => entryOf(role, client)),
    ),
  ]);
}

function withComposites(roles: readonly RoleKey[], composites: Composites): ReadonlySet<RoleKey> {
  const all = new Set(roles);
  for (const role of all) for (const part of composites.get(role) ?? []) all.add(part);
  return all;
}
