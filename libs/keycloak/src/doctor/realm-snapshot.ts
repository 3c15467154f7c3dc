/** RealmSnapshot: what the admin API shows of a realm, as far as calls between services hang on it. No secret is kept. */
import type { AdminApi } from './admin-api.js';

export interface RealmClient {
  readonly id: string;
  readonly clientId: string;
  readonly isEnabled: boolean;
  readonly isPublic: boolean;
  readonly hasServiceAccount: boolean;
  readonly mayExchange: boolean;
  readonly hasFullScope: boolean;
  readonly defaultScopes: readonly string[];
  readonly optionalScopes: readonly string[];
}

export interface RealmScope {
  readonly id: string;
  readonly name: string;
  readonly isInTokenScope: boolean;
  readonly audiences: readonly ScopeAudience[];
}

/** Of a mapper of the type Audience. */
export interface ScopeAudience {
  readonly audience: string;
  readonly isInAccessToken: boolean;
  readonly isInIntrospection: boolean;
}

export interface RealmSettings {
  readonly bruteForceProtected: boolean;
  readonly sslRequired: string;
  readonly ssoSessionMaxLifespan: number;
  readonly accessTokenLifespan: number;
  /** Undefined where this administrator may not see it. */
  readonly unmanagedAttributes: string | undefined;
}

export interface RealmSnapshot {
  readonly version: string | undefined;
  readonly settings: RealmSettings;
  readonly clients: readonly RealmClient[];
  readonly scopes: readonly RealmScope[];
  /** The roles that a client scope is mapped to, `client.role` for those of a client; who has one of them gets the scope. */
  readonly rolesOf: (scope: RealmScope) => Promise<readonly string[]>;
  /** The roles of a client's service account; undefined where it has none, or they can't be seen. */
  readonly rolesOfServiceAccount: (client: RealmClient) => Promise<ReadonlySet<string> | undefined>;
}

interface ClientRepresentation {
  readonly id: string;
  readonly clientId: string;
  readonly enabled?: boolean;
  readonly publicClient?: boolean;
  readonly bearerOnly?: boolean;
  readonly serviceAccountsEnabled?: boolean;
  readonly fullScopeAllowed?: boolean;
  readonly defaultClientScopes?: readonly string[];
  readonly optionalClientScopes?: readonly string[];
  readonly attributes?: Readonly<Record<string, string>>;
}

interface ScopeRepresentation {
  readonly id: string;
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly protocolMappers?: readonly {
    readonly protocolMapper: string;
    readonly config?: Readonly<Record<string, string>>;
  }[];
}

interface RoleRepresentation {
  readonly name: string;
}

interface MappingsRepresentation {
  readonly realmMappings?: readonly RoleRepresentation[];
  readonly clientMappings?: Readonly<Record<string, { readonly mappings?: readonly RoleRepresentation[] }>>;
}

/** Throws as `AdminApi.read` does. */
export async function readRealm(api: AdminApi): Promise<RealmSnapshot> {
  const settings = await api.read<Partial<Omit<RealmSettings, 'unmanagedAttributes'>>>('');
  const profile = await api.readIfAllowed<{ readonly unmanagedAttributePolicy?: string }>('/users/profile');
  const clients = await api.readAll<ClientRepresentation>('/clients');
  const scopes = await api.read<ScopeRepresentation[]>('/client-scopes');
  return {
    version: await api.version(),
    settings: {
      bruteForceProtected: settings.bruteForceProtected === true,
      sslRequired: settings.sslRequired ?? '',
      ssoSessionMaxLifespan: settings.ssoSessionMaxLifespan ?? 0,
      accessTokenLifespan: settings.accessTokenLifespan ?? 0,
      unmanagedAttributes: profile === undefined ? undefined : (profile.unmanagedAttributePolicy ?? 'DISABLED'),
    },
    clients: clients.map(clientOf),
    scopes: scopes.map(scopeOf),
    rolesOf: async ({ id }) => namesOf(await api.read(`/client-scopes/${id}/scope-mappings`)),
    rolesOfServiceAccount: async ({ id, hasServiceAccount }) => {
      if (!hasServiceAccount) return undefined;
      const user = await api.readIfAllowed<{ readonly id: string }>(`/clients/${id}/service-account-user`);
      return user === undefined ? undefined : rolesOfUser(api, user.id);
    },
  };
}

function clientOf(client: ClientRepresentation): RealmClient {
  const { attributes = {} } = client;
  return {
    id: client.id,
    clientId: client.clientId,
    isEnabled: client.enabled !== false,
    isPublic: client.publicClient === true || client.bearerOnly === true,
    hasServiceAccount: client.serviceAccountsEnabled === true,
    mayExchange: attributes['standard.token.exchange.enabled'] === 'true',
    hasFullScope: client.fullScopeAllowed === true,
    defaultScopes: client.defaultClientScopes ?? [],
    optionalScopes: client.optionalClientScopes ?? [],
  };
}

function scopeOf({ id, name, attributes = {}, protocolMappers = [] }: ScopeRepresentation): RealmScope {
  const audiences = protocolMappers
    .filter(({ protocolMapper }) => protocolMapper === 'oidc-audience-mapper')
    .map(({ config = {} }) => ({
      audience: config['included.client.audience'] || config['included.custom.audience'] || '',
      isInAccessToken: config['access.token.claim'] === 'true',
      // A mapper that does not say so does what it does for access tokens.
      isInIntrospection: (config['introspection.token.claim'] ?? config['access.token.claim']) === 'true',
    }));
  return { id, name, isInTokenScope: attributes['include.in.token.scope'] !== 'false', audiences };
}

function namesOf({ realmMappings = [], clientMappings = {} }: MappingsRepresentation): string[] {
  const ofClients = Object.entries(clientMappings).flatMap(([client, { mappings = [] }]) =>
    mappings.map(({ name }) => `${client}.${name}`),
  );
  return [...realmMappings.map(({ name }) => name), ...ofClients];
}

/** With those that are in another role. */
async function rolesOfUser(api: AdminApi, user: string): Promise<ReadonlySet<string> | undefined> {
  const direct = await api.readIfAllowed<MappingsRepresentation>(`/users/${user}/role-mappings`);
  const realm = await api.readIfAllowed<RoleRepresentation[]>(`/users/${user}/role-mappings/realm/composite`);
  if (direct === undefined || realm === undefined) return undefined;
  return new Set([...namesOf(direct), ...realm.map(({ name }) => name)]);
}
