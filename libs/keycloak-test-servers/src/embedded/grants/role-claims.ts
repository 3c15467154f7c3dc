import type { ClaimMapper } from '../realm/realm-representation.js';
import type { RoleName } from '../realm/scope-mappings.js';
import { changeClaim, escapeName, pathOf, type MappedClaims } from './claim-path.js';

export const REALM_ROLE_MAPPER = 'oidc-usermodel-realm-role-mapper';
export const CLIENT_ROLE_MAPPER = 'oidc-usermodel-client-role-mapper';

const CLIENT_ID = '${client_id}';

interface RoleClaim {
  readonly claimName: string;
  readonly roles: readonly string[];
}

/** Removes repeated roles from `realm_access` and `resource_access`, except in an ID token. */
export function addRoles(
  claims: MappedClaims,
  { kind, config }: ClaimMapper,
  roles: readonly RoleName[],
  { isIdToken }: { readonly isIdToken: boolean },
): void {
  const found = kind === REALM_ROLE_MAPPER ? [realmRoles(config, roles)] : clientRoles(config, roles);
  for (const { claimName, roles: names } of found) {
    if (names.length === 0) continue;
    const path = pathOf(claimName);
    const isOnce = !isIdToken && isAccess(path);
    const added = config['multivalued'] === 'true' ? names : names[0];
    changeClaim(claims, path, (value) => combined(value, added, isOnce));
  }
}

function combined(value: unknown, added: unknown, isOnce: boolean): unknown {
  if (!Array.isArray(added)) return added;
  const all: unknown[] = [...(Array.isArray(value) ? (value as unknown[]) : []), ...(added as unknown[])];
  return isOnce ? [...new Set(all)] : all;
}

const isAccess = ([first, ...rest]: readonly string[]): boolean =>
  rest.at(-1) === 'roles' && rest.length === (first === 'realm_access' ? 1 : first === 'resource_access' ? 2 : 0);

type Config = ClaimMapper['config'];

const realmRoles = (config: Config, roles: readonly RoleName[]): RoleClaim => ({
  claimName: config['claim.name'] ?? '',
  roles: namesIn(roles, undefined, config['usermodel.realmRoleMapping.rolePrefix'] ?? ''),
});

function clientRoles(config: Config, roles: readonly RoleName[]): RoleClaim[] {
  const only = config['usermodel.clientRoleMapping.clientId'] ?? '';
  const prefix = config['usermodel.clientRoleMapping.rolePrefix'] ?? '';
  const clients = only === '' ? clientsOf(roles) : [only];
  return clients.map((client) => ({
    claimName: (config['claim.name'] ?? '').replaceAll(CLIENT_ID, () => escapeName(client)),
    // Keycloak replaces the placeholder of a prefix only in a mapper for all clients.
    roles: namesIn(roles, client, only === '' ? prefix.replaceAll(CLIENT_ID, () => client) : prefix),
  }));
}

export const clientsOf = (roles: readonly RoleName[]): string[] => [
  ...new Set(roles.map(({ client }) => client).filter((client) => client !== undefined)),
];

const namesIn = (roles: readonly RoleName[], owner: string | undefined, prefix: string): string[] =>
  roles.filter(({ client }) => client === owner).map(({ name }) => prefix + name);
