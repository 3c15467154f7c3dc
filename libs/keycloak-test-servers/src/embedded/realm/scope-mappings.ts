import { toList, toRecord, toTexts, type RealmUser } from './realm-representation.js';

export interface RoleName {
  readonly client: string | undefined;
  readonly name: string;
}

export const rolesOf = ({ realmRoles, clientRoles }: RealmUser): RoleName[] => [
  ...toRoleNames(realmRoles, undefined),
  ...Object.entries(clientRoles).flatMap(([client, names]) => toRoleNames(names, client)),
];

export const includesRole = (roles: readonly RoleName[], { client, name }: RoleName): boolean =>
  roles.some((role) => role.name === name && role.client === client);

export class ScopeMappings {
  private readonly rolesOfScope = new Map<string, readonly RoleName[]>();
  private readonly rolesOfClient = new Map<string, readonly RoleName[]>();

  constructor(realm: Readonly<Record<string, unknown>>) {
    this.#add(realm['scopeMappings'], undefined);
    for (const [owner, mappings] of Object.entries(toRecord(realm['clientScopeMappings']))) this.#add(mappings, owner);
  }

  /** An empty list means that the scope requires no role. */
  ofScope(name: string): readonly RoleName[] {
    return this.rolesOfScope.get(name) ?? [];
  }

  ofClient(clientId: string): readonly RoleName[] {
    return this.rolesOfClient.get(clientId) ?? [];
  }

  #add(mappings: unknown, owner: string | undefined): void {
    for (const { client, clientScope, roles } of toList(mappings).map(toRecord)) {
      const added = toRoleNames(toTexts(roles), owner);
      if (typeof clientScope === 'string') this.rolesOfScope.set(clientScope, [...this.ofScope(clientScope), ...added]);
      if (typeof client === 'string') this.rolesOfClient.set(client, [...this.ofClient(client), ...added]);
    }
  }
}

const toRoleNames = (names: readonly string[], client: string | undefined): RoleName[] =>
  names.map((name) => ({ client, name }));
