import { BUILT_IN_CLIENTS } from '../../../protocol/keycloak-clients.js';
import type { Representation } from '../../administrator/admin-api.js';
import {
  ACCOUNT_ROLES_OF_EVERYONE,
  defaultRoleOf,
  REALM_ROLES_OF_EVERYONE,
} from '../../administrator/default-roles.js';
import { listOf, recordOf, textOf, textsOf } from '../../administrator/representation.js';
import { clientOfRole, clientRoleKeys, realmRoleKeys, roleKey, type RoleKey } from '../../administrator/role-key.js';

export class RolesInFile {
  readonly #composites: ReadonlyMap<RoleKey, readonly RoleKey[]>;
  readonly #held: ReadonlySet<RoleKey>;
  readonly #clients: ReadonlySet<unknown>;

  constructor(private readonly realm: Representation) {
    this.#composites = compositesIn(realm);
    this.#held = new Set(
      [...listOf(realm['users']).map(recordOf), ...groupsIn(realm['groups']).values()].flatMap(rolesOf),
    );
    this.#clients = new Set(listOf(realm['clients']).map((client) => recordOf(client)['clientId']));
  }

  /** Keycloak itself creates its built-in clients with their roles, and each realm role that a user or a group has. */
  has(role: RoleKey): boolean {
    const client = clientOfRole(role);
    const isBuiltIn = client !== null && BUILT_IN_CLIENTS.includes(client) && !this.#clients.has(client);
    return isBuiltIn || this.#composites.has(role) || this.#held.has(role) || this.ofEveryone().has(role);
  }

  mappedTo(scope: string): ReadonlySet<RoleKey> {
    const of = (mappings: unknown): readonly string[] =>
      listOf(mappings)
        .map(recordOf)
        .filter(({ clientScope }) => clientScope === scope)
        .flatMap(({ roles }) => textsOf(roles));
    const ofClients = Object.entries(recordOf(this.realm['clientScopeMappings'])).flatMap(([client, mappings]) =>
      clientRoleKeys(client, of(mappings)),
    );
    return this.#withComposites([...realmRoleKeys(of(this.realm['scopeMappings'])), ...ofClients]);
  }

  ofHolder(holder: Representation = {}): ReadonlySet<RoleKey> {
    return this.#withComposites(rolesOf(holder));
  }

  /** Includes the roles that Keycloak adds to the default role of each realm. */
  ofEveryone(): ReadonlySet<RoleKey> {
    const { realm, defaultRole, defaultRoles } = this.realm;
    return this.#withComposites([
      ...realmRoleKeys([
        textOf(recordOf(defaultRole)['name']) || defaultRoleOf(textOf(realm)),
        ...textsOf(defaultRoles),
      ]),
      ...REALM_ROLES_OF_EVERYONE,
      ...(this.#clients.has('account') ? [] : ACCOUNT_ROLES_OF_EVERYONE),
    ]);
  }

  ofDefaultGroups(): ReadonlyMap<string, ReadonlySet<RoleKey>> {
    const groups = groupsIn(this.realm['groups']);
    return new Map(
      textsOf(this.realm['defaultGroups']).map((path) => {
        const above = [...groups].filter(([each]) => `${path}/`.startsWith(`${each}/`));
        return [path, this.#withComposites(above.flatMap(([, group]) => rolesOf(group)))];
      }),
    );
  }

  #withComposites(roles: readonly RoleKey[]): ReadonlySet<RoleKey> {
    const all = new Set(roles);
    for (const role of all) for (const part of this.#composites.get(role) ?? []) all.add(part);
    return all;
  }
}

const rolesOf = (holder: Representation): readonly RoleKey[] => [
  ...realmRoleKeys(textsOf(holder['realmRoles'])),
  ...rolesByClient(holder['clientRoles']),
];

const rolesByClient = (json: unknown): readonly RoleKey[] =>
  Object.entries(recordOf(json)).flatMap(([client, roles]) => clientRoleKeys(client, textsOf(roles)));

function groupsIn(json: unknown, above = ''): ReadonlyMap<string, Representation> {
  return new Map(
    listOf(json)
      .map(recordOf)
      .flatMap((group) => {
        const path = `${above}/${textOf(group['name'])}`;
        return [[path, group] as const, ...groupsIn(group['subGroups'], path)];
      }),
  );
}

function compositesIn(realm: Representation): ReadonlyMap<RoleKey, readonly RoleKey[]> {
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
