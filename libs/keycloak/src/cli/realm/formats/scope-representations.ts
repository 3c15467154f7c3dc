import type { Role } from '../../policy/holders.js';
import {
  compareTexts,
  type RealmRequirements,
  type RequiredClient,
  type RequiredPermission,
} from '../realm-requirements.js';

const AUDIENCE_MAPPER = {
  protocol: 'openid-connect',
  protocolMapper: 'oidc-audience-mapper',
} as const;

export function scopeRepresentation({ name, audience, description }: RequiredPermission): object {
  return {
    name,
    ...(description === undefined ? {} : { description }),
    protocol: 'openid-connect',
    attributes: { 'include.in.token.scope': 'true', 'display.on.consent.screen': 'false' },
    protocolMappers: [
      {
        name: `audience ${audience}`,
        ...AUDIENCE_MAPPER,
        config: {
          'included.client.audience': audience,
          'access.token.claim': 'true',
          'id.token.claim': 'false',
          'introspection.token.claim': 'true',
        },
      },
    ],
  };
}

export interface ScopeMapping {
  readonly clientScope: string;
  readonly roles: readonly string[];
}

export interface ScopeMappings {
  readonly realm: readonly ScopeMapping[];
  readonly clients: Readonly<Record<string, readonly ScopeMapping[]>>;
}

export function scopeMappings({ permissions }: RealmRequirements): ScopeMappings {
  const of = (rolesOf: (roles: RolesByOwner) => readonly string[]): ScopeMapping[] =>
    permissions.flatMap(({ name, roles = [] }) => {
      const listed = rolesOf(rolesByOwner(roles));
      return listed.length === 0 ? [] : [{ clientScope: name, roles: listed }];
    });
  const owners = rolesByOwner(permissions.flatMap(({ roles = [] }) => roles)).clients;
  return {
    realm: of(({ realm }) => realm),
    clients: Object.fromEntries(
      [...owners.keys()].map((client) => [client, of(({ clients }) => clients.get(client) ?? [])]),
    ),
  };
}

export interface RolesByOwner {
  readonly realm: readonly string[];
  readonly clients: ReadonlyMap<string, readonly string[]>;
}

export function rolesByOwner(roles: readonly Role[]): RolesByOwner {
  const realm = new Set<string>();
  const clients = new Map<string, Set<string>>();
  for (const role of roles) {
    if (typeof role === 'string') realm.add(role);
    else clients.set(role.client, (clients.get(role.client) ?? new Set()).add(role.role));
  }
  return {
    realm: [...realm].toSorted(compareTexts),
    clients: new Map(
      [...clients]
        .toSorted(([one], [other]) => compareTexts(one, other))
        .map(([client, names]) => [client, [...names].toSorted(compareTexts)]),
    ),
  };
}

export const allRoles = ({ permissions, clients }: RealmRequirements): readonly Role[] => [
  ...permissions.flatMap(({ roles = [] }) => roles),
  ...clients.flatMap(({ serviceAccountRoles }) => serviceAccountRoles),
];

export const scopesOfClient = ({ permissions }: RealmRequirements, clientId: string): readonly string[] =>
  permissions.filter(({ clients }) => clients.includes(clientId)).map(({ name }) => name);

/** A service account is a user of the realm. */
export function accountIn({ clientId, serviceAccountRoles }: RequiredClient): object {
  const { realm, clients } = rolesByOwner(serviceAccountRoles);
  return {
    username: `service-account-${clientId}`.toLowerCase(),
    enabled: true,
    serviceAccountClientId: clientId,
    realmRoles: realm,
    clientRoles: Object.fromEntries(clients),
  };
}
