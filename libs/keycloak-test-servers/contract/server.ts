import { randomUUID } from 'node:crypto';
import { testServer } from 'keycloak-test-servers';
import { Administrator } from './administrator.js';
import { startEmbeddedServer } from './demo-realm.js';
import { keycloakUrl, REALM } from './demo-realm.js';
import { addRealm, startForRealm, type OwnRealm, type RealmKind } from './own-realm.js';

export type Role = 'order-manager' | 'order-viewer';

export interface ContractServer {
  readonly baseUrl: string;
  readonly issuer: string;
  readonly administrator: Administrator;
  /** Adds a user who has this role and whose password equals the username. */
  newUser(role: Role, username?: string): Promise<string>;
  subjectOf(username: string): Promise<string>;
  newClient(kind: ClientKind, attributes?: Readonly<Record<string, string>>): Promise<string>;
  takeRole(username: string, role: Role): Promise<void>;
  changeUser(username: string, change: Readonly<Record<string, unknown>>): Promise<void>;
  disableUser(username: string): Promise<void>;
  disableClient(clientId: string): Promise<void>;
  endSession(sid: string): Promise<void>;
  logOutUser(username: string): Promise<void>;
  ownRealm(kind?: RealmKind): Promise<ContractServer>;
  stop(): Promise<void>;
}

export const CALLBACK = 'http://localhost:3000/auth/callback';
export const HOME = 'http://localhost:3000/';

const NEW_CLIENT_SECRET = 'the-secret';

export const callerOf = (client: string) => `${client}:${NEW_CLIENT_SECRET}` as const;

const COMMON = {
  standardFlowEnabled: false,
  fullScopeAllowed: false,
  defaultClientScopes: ['acr', 'basic', 'roles', 'profile', 'email'],
  attributes: { 'access.token.header.type.rfc9068': 'true' },
};

const WEB = {
  ...COMMON,
  secret: NEW_CLIENT_SECRET,
  publicClient: false,
  redirectUris: [CALLBACK],
  optionalClientScopes: ['orders.read', 'orders.approve'],
  attributes: {
    ...COMMON.attributes,
    'pkce.code.challenge.method': 'S256',
    'post.logout.redirect.uris': `${HOME}##${HOME}bye?a=b`,
    'standard.token.exchange.enabled': 'true',
  },
};

const CLIENTS = {
  login: { ...COMMON, publicClient: true, directAccessGrantsEnabled: true, optionalClientScopes: ['orders.read'] },
  service: {
    ...COMMON,
    secret: NEW_CLIENT_SECRET,
    publicClient: false,
    serviceAccountsEnabled: true,
    optionalClientScopes: ['orders.approve'],
  },
  web: {
    ...WEB,
    standardFlowEnabled: true,
  },
  'web without login': WEB,
  'web with consent': { ...WEB, standardFlowEnabled: true, consentRequired: true },
  'web with offline access': {
    ...WEB,
    standardFlowEnabled: true,
    fullScopeAllowed: true,
    optionalClientScopes: ['orders.read', 'orders.approve', 'offline_access'],
  },
  'offline login': {
    ...COMMON,
    publicClient: true,
    directAccessGrantsEnabled: true,
    fullScopeAllowed: true,
    optionalClientScopes: ['orders.read', 'offline_access'],
  },
  'no service account': { ...COMMON, secret: NEW_CLIENT_SECRET, publicClient: false, optionalClientScopes: [] },
  'plain header': { ...COMMON, publicClient: true, directAccessGrantsEnabled: true, attributes: {} },
} as const;

type ClientKind = keyof typeof CLIENTS;

const clientOf = (kind: ClientKind, clientId: string, attributes: object = {}) => ({
  ...CLIENTS[kind],
  clientId,
  attributes: { ...CLIENTS[kind].attributes, ...attributes },
});

const userOf = (username: string) => ({
  username,
  enabled: true,
  email: `${username}@example.com`,
  emailVerified: true,
  firstName: 'Test',
  lastName: 'User',
  credentials: [{ type: 'password', value: username, temporary: false }],
});

export async function startEmbedded(): Promise<ContractServer> {
  const embedded = await startEmbeddedServer();
  const server = contractServerAt(embedded.baseUrl, { makeRealm: startForRealm });
  const stop = async (): Promise<void> => {
    await server.stop();
    await embedded.stop();
  };
  return { ...server, stop };
}

export const connectToKeycloak = async (): Promise<ContractServer> =>
  contractServerAt(keycloakUrl(), { realm: testServer().realm });

interface WhichRealm {
  readonly realm?: string;
  readonly makeRealm?: (kind: RealmKind) => Promise<OwnRealm>;
}

export function contractServerAt(
  baseUrl: string,
  { realm = REALM, makeRealm = (kind) => addRealm(baseUrl, kind) }: WhichRealm = {},
): ContractServer {
  const administrator = new Administrator(baseUrl, realm);
  const made: string[] = [];
  const own = new Map<RealmKind, Promise<OwnRealm>>();

  const create = async (path: string, body: object): Promise<string> => {
    const created = await administrator.create(path, body);
    made.push(created);
    return created;
  };
  const find = async (query: string): Promise<string> => {
    const [found] = await administrator.read<{ id: string }[]>(query);
    if (found === undefined) throw new Error(`The server has no ${query}`);
    return found.id;
  };
  const subjectOf = (username: string) => find(`/users?exact=true&username=${username}`);
  const userPath = async (username: string) => `/users/${await subjectOf(username)}`;
  const changeRole = async (method: 'POST' | 'DELETE', path: string, role: Role): Promise<void> => {
    const representation = await administrator.read<object>(`/roles/${role}`);
    await administrator.change(method, `${path}/role-mappings/realm`, [representation]);
  };
  const update = async (path: string, change: object): Promise<void> => {
    const current = await administrator.read<object>(path);
    await administrator.change('PUT', path, { ...current, ...change });
  };

  return {
    baseUrl,
    issuer: `${baseUrl}/realms/${realm}`,
    administrator,
    async newUser(role, username = `user-${randomUUID()}`) {
      const path = await create('/users', userOf(username));
      await changeRole('POST', path, role);
      return username;
    },
    subjectOf,
    async newClient(kind, attributes) {
      const clientId = `client-${randomUUID()}`;
      const path = await create('/clients', clientOf(kind, clientId, attributes));
      if (kind === 'service') {
        const account = await administrator.read<{ id: string }>(`${path}/service-account-user`);
        await changeRole('POST', `/users/${account.id}`, 'order-manager');
      }
      return clientId;
    },
    takeRole: async (username, role) => changeRole('DELETE', await userPath(username), role),
    changeUser: async (username, change) => update(await userPath(username), change),
    disableUser: async (username) => update(await userPath(username), { enabled: false }),
    disableClient: async (clientId) =>
      update(`/clients/${await find(`/clients?clientId=${clientId}`)}`, { enabled: false }),
    endSession: (sid) => administrator.change('DELETE', `/sessions/${sid}`),
    logOutUser: async (username) => administrator.change('POST', `${await userPath(username)}/logout`),
    async ownRealm(kind = 'plain') {
      const realmMade = own.get(kind) ?? makeRealm(kind);
      own.set(kind, realmMade);
      const { baseUrl: url, realm: name } = await realmMade;
      return contractServerAt(url, { realm: name });
    },
    async stop() {
      await Promise.all(made.map((path) => administrator.change('DELETE', path)));
      for (const realmMade of own.values()) await (await realmMade).remove();
    },
  };
}
