import { randomUUID } from 'node:crypto';
import {
  toClient,
  toList,
  toRecord,
  toScope,
  toTexts,
  toUser,
  type RealmClient,
  type RealmRole,
  type RealmScope,
  type RealmUser,
} from './realm-representation.js';
import { includesRole, rolesOf, ScopeMappings } from './scope-mappings.js';
import { readLevels, type AuthenticationLevels } from './authentication-levels.js';
import { toSettings, type RealmSettings } from './realm-settings.js';

const MANAGEMENT = 'realm-management';
const SERVICE_ACCOUNT_SCOPE = 'service_account';

export class Realm {
  readonly id = randomUUID();
  readonly settings: RealmSettings;
  readonly levels: AuthenticationLevels;
  readonly scopes: ReadonlyMap<string, RealmScope>;
  readonly attributes: Map<string, string>;
  readonly roles: readonly RealmRole[];
  readonly scopeMappings: ScopeMappings;
  private readonly scopesByName: Map<string, RealmScope>;
  private readonly clientsById = new Map<string, RealmClient>();
  private readonly clientsByName = new Map<string, RealmClient>();
  private readonly usersById = new Map<string, RealmUser>();
  private readonly scopesByDefault: readonly string[];

  constructor(
    readonly name: string,
    json: unknown,
  ) {
    const realm = toRecord(json);
    this.settings = toSettings(realm);
    this.levels = readLevels(realm);
    this.scopesByDefault = toTexts(realm['defaultDefaultClientScopes']);
    const scopes = toList(realm['clientScopes']).map(toScope);
    this.scopes = this.scopesByName = new Map(scopes.map((scope) => [scope.name, scope]));
    const attributes = Object.entries(toRecord(realm['attributes']));
    this.attributes = new Map(attributes.map(([attribute, value]) => [attribute, String(value)]));
    this.roles = toList(toRecord(realm['roles'])['realm']).map(toRole);
    this.scopeMappings = new ScopeMappings(realm);
    for (const user of toList(realm['users'])) this.addUser(user);
    for (const client of toList(realm['clients'])) this.addClient(client);
  }

  addUser(json: unknown): RealmUser {
    const user = toUser(json);
    this.usersById.set(user.id, user);
    return user;
  }

  removeUser({ id }: RealmUser): void {
    this.usersById.delete(id);
  }

  addClient(json: unknown): RealmClient {
    return this.putClient(toClient(json, this.scopesByDefault));
  }

  replaceClient({ id, defaultScopes, optionalScopes }: RealmClient, json: object): void {
    this.putClient({ ...toClient({ ...json, id }, []), defaultScopes, optionalScopes });
  }

  changeAttributes(client: RealmClient, changes: Readonly<Record<string, string | undefined>>): void {
    const { representation, enabled, notBefore } = client;
    const attributes = Object.entries({ ...toRecord(representation['attributes']), ...changes });
    const left = Object.fromEntries(attributes.filter(([, value]) => value !== undefined));
    this.replaceClient(client, { ...representation, enabled, notBefore, attributes: left });
  }

  addScope(scope: RealmScope): void {
    if (!this.scopesByName.has(scope.name)) this.scopesByName.set(scope.name, scope);
  }

  removeClient(client: RealmClient): void {
    const account = this.serviceAccountOf(client);
    if (account !== undefined) this.removeUser(account);
    this.clientsById.delete(client.id);
    this.clientsByName.delete(client.clientId);
    for (const user of this.users()) {
      const { [client.clientId]: _, ...others } = user.clientRoles;
      user.clientRoles = others;
    }
  }

  clients(): RealmClient[] {
    return [...this.clientsById.values()];
  }

  users(): RealmUser[] {
    return [...this.usersById.values()];
  }

  clientById(id: string): RealmClient | undefined {
    return this.clientsById.get(id);
  }

  client(clientId: string): RealmClient | undefined {
    return this.clientsByName.get(clientId);
  }

  userById(id: string): RealmUser | undefined {
    return this.usersById.get(id);
  }

  userNamed(login: string): RealmUser | undefined {
    const wanted = login.toLowerCase();
    const users = this.users();
    return (
      users.find(({ username }) => username === wanted) ??
      users.find(({ attributes }) => String(attributes['email'] ?? '').toLowerCase() === wanted)
    );
  }

  serviceAccountOf({ clientId }: RealmClient): RealmUser | undefined {
    return this.users().find(({ serviceAccountOf }) => serviceAccountOf === clientId);
  }

  permits({ fullScopeAllowed, clientId }: RealmClient, user: RealmUser, managementRole: string): boolean {
    const role = { client: MANAGEMENT, name: managementRole };
    return (
      includesRole(rolesOf(user), role) &&
      (fullScopeAllowed || includesRole(this.scopeMappings.ofClient(clientId), role))
    );
  }

  /** As in Keycloak, adds a missing service account user and the scope `service_account`. */
  private putClient(client: RealmClient): RealmClient {
    const { clientId, defaultScopes } = client;
    const isComplete = !client.serviceAccount || this.serviceAccountOf(client) !== undefined;
    const addsScope = !isComplete && this.scopes.has(SERVICE_ACCOUNT_SCOPE);
    const put = addsScope ? { ...client, defaultScopes: [...defaultScopes, SERVICE_ACCOUNT_SCOPE] } : client;
    this.clientsById.set(put.id, put);
    this.clientsByName.set(clientId, put);
    if (!isComplete) {
      this.addUser({ username: `service-account-${clientId}`, enabled: true, serviceAccountClientId: clientId });
    }
    return put;
  }
}

const toRole = (json: unknown): RealmRole => ({ id: randomUUID(), name: String(toRecord(json)['name']) });
