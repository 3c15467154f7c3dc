import type { AdminApi, Representation } from './admin-api.js';
import { levelsByName, levelsOfFlow, type LevelsByName } from './authentication-levels.js';
import { listOf, recordOf, textOf, textsOf } from './representation.js';
import type { RoleKey } from './role-key.js';
import { mappedRoles, rolesKnownTo, rolesOfDefaultGroups, rolesWithin } from './composite-roles.js';

export interface RealmClient {
  readonly id: string;
  readonly clientId: string;
  readonly isEnabled: boolean;
  readonly isOpenIdConnect: boolean;
  readonly isPublic: boolean;
  readonly hasServiceAccount: boolean;
  readonly mayExchange: boolean;
  readonly hasFullScope: boolean;
  readonly hasLightweightTokens: boolean;
  readonly defaultScopes: readonly string[];
  readonly optionalScopes: readonly string[];
  /** The audiences that the client's mappers add to every token of the client. */
  readonly audiences: readonly MappedAudience[];
  readonly addsSubject: boolean;
  readonly levels: LevelsByName;
}

export interface RealmScope {
  readonly id: string;
  readonly name: string;
  readonly isOpenIdConnect: boolean;
  readonly addsSubject: boolean;
  readonly isInTokenScope: boolean;
  readonly audiences: readonly MappedAudience[];
}

export interface MappedAudience {
  readonly audience: string;
  readonly isInAccessToken: boolean;
  readonly isInIntrospection: boolean;
  readonly isInLightweightToken: boolean;
}

export interface RealmSettings {
  readonly isEnabled: boolean;
  readonly bruteForceProtected: boolean;
  readonly sslRequired: string;
  readonly ssoSessionMaxLifespan: number;
  readonly unmanagedAttributes: string | undefined;
  readonly events: RealmEvents;
  readonly levels: LevelsByName;
}

/** If an expiration is 0, Keycloak never deletes the events. */
export interface RealmEvents {
  readonly savesUserEvents: boolean;
  readonly userEventsExpireSeconds: number;
  readonly savesAdminEvents: boolean;
  readonly adminEventsExpireSeconds: number;
}

export interface RealmSnapshot {
  readonly version: string | undefined;
  /** The enabled features of the server; empty for a realm file, and if the administrator may not see the features. */
  readonly features: readonly string[];
  readonly settings: RealmSettings;
  readonly clients: readonly RealmClient[];
  readonly scopes: readonly RealmScope[];
  /** Returns the roles that are mapped to a scope; a user needs one of the roles to get the scope. */
  readonly rolesOf: (scope: RealmScope) => Promise<readonly RoleKey[]>;
  readonly rolesOfServiceAccount: (client: RealmClient) => Promise<ReadonlySet<RoleKey> | undefined>;
  /** Returns the roles that the realm's default role gives to each user and service account. */
  readonly rolesOfEveryone: () => Promise<ReadonlySet<RoleKey>>;
  /** The roles of the default groups, by group path; undefined if the administrator may not see the roles. */
  readonly rolesOfDefaultGroups: () => Promise<ReadonlyMap<string, ReadonlySet<RoleKey>> | undefined>;
  readonly hasRole: (role: RoleKey) => Promise<boolean>;
  readonly scopesOfNewClients: () => Promise<ScopesOfNewClients>;
  readonly levelsOfLogin: () => Promise<readonly number[]>;
  readonly acknowledgedEvents: (clientId: string) => Promise<number | undefined>;
}

export interface ScopesOfNewClients {
  readonly byDefault: readonly string[];
  readonly optional: readonly string[];
}

export async function readRealm(api: AdminApi): Promise<RealmSnapshot> {
  const settings = await api.read('');
  const profile = await api.ifAllowed(api.read('/users/profile'));
  const clients = (await api.readPages('/clients')).map(clientOf);
  const scopes = (await api.readList('/client-scopes')).map(scopeOf);
  const server = recordOf(await api.serverInfo());
  return {
    version: textOf(recordOf(server['systemInfo'])['version']).slice(0, 40) || undefined,
    features: listOf(server['features'])
      .map(recordOf)
      .filter(({ enabled }) => enabled === true)
      .map(({ name }) => textOf(name)),
    settings: settingsOf(settings, profile),
    clients,
    scopes,
    rolesOf: async ({ id }) => mappedRoles(api, `/client-scopes/${id}/scope-mappings`),
    rolesOfDefaultGroups: once(async () => api.ifAllowed(rolesOfDefaultGroups(api))),
    hasRole: rolesKnownTo(api, clients),
    rolesOfEveryone: once(async () => rolesWithin(api, recordOf(settings['defaultRole']))),
    scopesOfNewClients: once(async () => {
      const namesOf = async (kind: 'default' | 'optional'): Promise<readonly string[]> =>
        (await api.readList(`/default-${kind}-client-scopes`)).map(({ name }) => textOf(name));
      return { byDefault: await namesOf('default'), optional: await namesOf('optional') };
    }),
    levelsOfLogin: once(async () => levelsOfFlow(api, textOf(settings['browserFlow']))),
    acknowledgedEvents: async (clientId) => {
      const path = `/ssf/clients/${encodeURIComponent(clientId)}/events/stats`;
      const { statuses } = (await api.ifAllowed(api.read(path))) ?? {};
      const count = recordOf(recordOf(statuses)['DELIVERED'])['count'];
      return typeof count === 'number' ? count : undefined;
    },
    rolesOfServiceAccount: async ({ id, hasServiceAccount }) => {
      if (!hasServiceAccount) return undefined;
      const user = await api.ifAllowed(api.read(`/clients/${id}/service-account-user`));
      if (user === undefined) return undefined;
      const roles = await api.ifAllowed(mappedRoles(api, `/users/${textOf(user['id'])}/role-mappings`));
      return roles === undefined ? undefined : new Set(roles);
    },
  };
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return async () => (reading ??= read());
}

export function settingsOf(settings: Representation, profile: Representation | undefined): RealmSettings {
  const attributes = recordOf(settings['attributes']);
  return {
    isEnabled: settings['enabled'] === true,
    bruteForceProtected: settings['bruteForceProtected'] === true,
    sslRequired: textOf(settings['sslRequired']),
    ssoSessionMaxLifespan: Number(settings['ssoSessionMaxLifespan'] ?? 0),
    unmanagedAttributes: profile === undefined ? undefined : textOf(profile['unmanagedAttributePolicy'] ?? 'DISABLED'),
    events: {
      savesUserEvents: settings['eventsEnabled'] === true,
      userEventsExpireSeconds: Number(settings['eventsExpiration'] ?? 0),
      savesAdminEvents: settings['adminEventsEnabled'] === true,
      adminEventsExpireSeconds: Number(attributes['adminEventsExpiration'] ?? 0),
    },
    levels: levelsByName(attributes),
  };
}

export function clientOf(client: Representation): RealmClient {
  return {
    id: textOf(client['id']),
    clientId: textOf(client['clientId']),
    isEnabled: client['enabled'] !== false,
    isOpenIdConnect: isOpenIdConnect(client),
    isPublic: client['publicClient'] === true || client['bearerOnly'] === true,
    hasServiceAccount: client['serviceAccountsEnabled'] === true,
    mayExchange: recordOf(client['attributes'])['standard.token.exchange.enabled'] === 'true',
    hasFullScope: client['fullScopeAllowed'] === true,
    hasLightweightTokens: recordOf(client['attributes'])['client.use.lightweight.access.token.enabled'] === 'true',
    defaultScopes: textsOf(client['defaultClientScopes']),
    optionalScopes: textsOf(client['optionalClientScopes']),
    audiences: audiencesOf(client['protocolMappers']),
    addsSubject: addsSubject(client),
    levels: levelsByName(recordOf(client['attributes'])),
  };
}

export function scopeOf(scope: Representation): RealmScope {
  return {
    id: textOf(scope['id']),
    name: textOf(scope['name']),
    isOpenIdConnect: isOpenIdConnect(scope),
    addsSubject: addsSubject(scope),
    isInTokenScope: recordOf(scope['attributes'])['include.in.token.scope'] !== 'false',
    audiences: audiencesOf(scope['protocolMappers']),
  };
}

const isOpenIdConnect = ({ protocol }: Representation): boolean => ['', 'openid-connect'].includes(textOf(protocol));

const addsSubject = ({ protocolMappers }: Representation): boolean =>
  listOf(protocolMappers)
    .map(recordOf)
    .some(
      ({ protocolMapper, config }) =>
        protocolMapper === 'oidc-sub-mapper' && recordOf(config)['access.token.claim'] === 'true',
    );

/** Returns the audiences in sorted order, because Keycloak lists mappers in any order. */
function audiencesOf(mappers: unknown): readonly MappedAudience[] {
  return listOf(mappers)
    .map(recordOf)
    .filter(({ protocolMapper }) => protocolMapper === 'oidc-audience-mapper')
    .map(({ config }) => {
      const settings = recordOf(config);
      return {
        audience: textOf(settings['included.client.audience'] || settings['included.custom.audience']),
        isInAccessToken: settings['access.token.claim'] === 'true',
        isInLightweightToken: settings['lightweight.claim'] === 'true',
        // If a mapper has no setting for introspection, its setting for access tokens applies.
        isInIntrospection: (settings['introspection.token.claim'] ?? settings['access.token.claim']) === 'true',
      };
    })
    .toSorted((one, other) => one.audience.localeCompare(other.audience));
}
