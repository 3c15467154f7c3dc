/** A realm as the server holds it: clients, client scopes, users, and which role opens which scope. */
import {
  toClient,
  toList,
  toRecord,
  toScope,
  toTexts,
  toUser,
  type RealmClient,
  type RealmScope,
  type RealmUser,
} from './realm-representation.js';

const SERVICE_ACCOUNT_SCOPE = 'service_account';

export class Realm {
  readonly accessTokenSeconds: number;
  readonly codeSeconds: number;
  readonly revokesRefreshTokens: boolean;
  readonly sessionIdleSeconds: number;
  readonly sessionMaxSeconds: number;
  readonly scopes: ReadonlyMap<string, RealmScope>;
  private readonly clients = new Map<string, RealmClient>();
  private readonly users = new Map<string, RealmUser>();
  private readonly scopesByDefault: readonly string[];
  private readonly rolesOfScope = new Map<string, readonly string[]>();
  private readonly rolesOfClient = new Map<string, readonly string[]>();

  /** `json`: a realm export, its placeholders filled. */
  constructor(
    readonly name: string,
    json: unknown,
  ) {
    const realm = toRecord(json);
    this.accessTokenSeconds = Number(realm['accessTokenLifespan'] ?? 300);
    this.codeSeconds = Number(realm['accessCodeLifespan'] ?? 60);
    this.revokesRefreshTokens = realm['revokeRefreshToken'] === true;
    this.sessionIdleSeconds = Number(realm['ssoSessionIdleTimeout'] ?? 1800);
    this.sessionMaxSeconds = Number(realm['ssoSessionMaxLifespan'] ?? 36_000);
    this.scopesByDefault = toTexts(realm['defaultDefaultClientScopes']);
    const scopes = toList(realm['clientScopes']).map(toScope);
    this.scopes = new Map(scopes.map((scope) => [scope.name, scope]));
    for (const mapping of toList(realm['scopeMappings']).map(toRecord)) {
      const { client, clientScope } = mapping;
      if (typeof clientScope === 'string') this.rolesOfScope.set(clientScope, toTexts(mapping['roles']));
      if (typeof client === 'string') this.rolesOfClient.set(client, toTexts(mapping['roles']));
    }
    for (const user of toList(realm['users'])) this.addUser(user);
    for (const client of toList(realm['clients'])) this.addClient(client);
  }

  addUser(json: unknown): void {
    const user = toUser(json);
    this.users.set(user.id, user);
  }

  /** A client with a service account that nobody described gets one of Keycloak's making, and a scope that tells of it. */
  addClient(json: unknown): void {
    const client = toClient(json, this.scopesByDefault);
    const isDescribed = !client.serviceAccount || this.serviceAccountOf(client) !== undefined;
    const tells = !isDescribed && this.scopes.has(SERVICE_ACCOUNT_SCOPE);
    this.clients.set(
      client.clientId,
      tells ? { ...client, defaultScopes: [...client.defaultScopes, SERVICE_ACCOUNT_SCOPE] } : client,
    );
    if (!isDescribed) {
      const { clientId } = client;
      this.addUser({ username: `service-account-${clientId}`, enabled: true, serviceAccountClientId: clientId });
    }
  }

  client(clientId: string): RealmClient | undefined {
    return this.clients.get(clientId);
  }

  userById(id: string): RealmUser | undefined {
    return this.users.get(id);
  }

  /** By user name or e-mail address, in any case. */
  userNamed(login: string): RealmUser | undefined {
    const wanted = login.toLowerCase();
    const users = [...this.users.values()];
    return (
      users.find(({ username }) => username === wanted) ??
      users.find(({ attributes }) => String(attributes['email'] ?? '').toLowerCase() === wanted)
    );
  }

  serviceAccountOf({ clientId }: RealmClient): RealmUser | undefined {
    return [...this.users.values()].find(({ serviceAccountOf }) => serviceAccountOf === clientId);
  }

  /** The roles of which one is needed to be given this scope; nobody is asked for one when there are none. */
  rolesThatOpen(scope: string): readonly string[] {
    return this.rolesOfScope.get(scope) ?? [];
  }

  /** Roles that the client's tokens may show, whatever their scopes. */
  rolesShownTo({ clientId }: RealmClient): readonly string[] {
    return this.rolesOfClient.get(clientId) ?? [];
  }
}
