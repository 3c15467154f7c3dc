/** The two servers of the contract, the embedded one and the real Keycloak, with what an administrator does at each. */
import { randomUUID } from 'node:crypto';
import { startEmbeddedServer } from './embedded-server.js';
import { keycloakUrl, REALM } from './keycloak.js';

export type Role = 'order-manager' | 'order-viewer';

export interface ContractServer {
  readonly baseUrl: string;
  readonly issuer: string;
  /** A user of its own for one case, whose password equals the name. */
  newUser(role: Role): Promise<string>;
  /** A client of its own for one case. A service has the role order-manager. */
  newClient(kind: ClientKind, attributes?: Readonly<Record<string, string>>): Promise<string>;
  takeRole(username: string, role: Role): Promise<void>;
  disableUser(username: string): Promise<void>;
  disableClient(clientId: string): Promise<void>;
  endSession(sid: string): Promise<void>;
  endSessionsOf(username: string): Promise<void>;
  /** As in the console: clients are told. */
  logOutUser(username: string): Promise<void>;
  stop(): Promise<void>;
}

/** Where its clients for browsers are sent back to, after a login and after a logout; nobody listens there. */
export const CALLBACK = 'http://localhost:3000/auth/callback';
export const HOME = 'http://localhost:3000/';

/** The secret of {@link ContractServer.newClient}'s clients. */
export const NEW_CLIENT_SECRET = 'the-secret';

const COMMON = {
  standardFlowEnabled: false,
  fullScopeAllowed: false,
  defaultClientScopes: ['basic', 'roles', 'profile', 'email'],
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
  const server = await startEmbeddedServer();
  const { baseUrl, issuer, control } = server;
  return {
    baseUrl,
    issuer,
    async newUser(role) {
      const username = `user-${randomUUID()}`;
      control.addUser({ ...userOf(username), realmRoles: [role] });
      return username;
    },
    async newClient(kind, attributes) {
      const clientId = `client-${randomUUID()}`;
      control.addClient(clientOf(kind, clientId, attributes));
      if (kind === 'service') control.setRealmRoles(`service-account-${clientId}`, ['order-manager']);
      return clientId;
    },
    takeRole: async (username) => control.setRealmRoles(username, []),
    disableUser: async (username) => control.disableUser(username),
    disableClient: async (clientId) => control.disableClient(clientId),
    endSession: async (sid) => control.endSession(sid),
    endSessionsOf: async (username) => control.endSessionsOf(username),
    logOutUser: (username) => control.logOutUser(username),
    stop: () => server.stop(),
  };
}

/** @throws Error that says how to run the tests when there is none. */
export async function connectToKeycloak(): Promise<ContractServer> {
  const baseUrl = keycloakUrl();
  const admin = adminOf(baseUrl);
  const made: string[] = [];

  const create = async (path: string, body: object): Promise<string> => {
    const { headers } = await admin('POST', path, body);
    const created = `${path}/${headers.get('location')?.split('/').at(-1) ?? ''}`;
    made.push(created);
    return created;
  };
  const find = async (query: string): Promise<string> => {
    const [found] = (await (await admin('GET', query)).json()) as { id: string }[];
    if (found === undefined) throw new Error(`Keycloak has no ${query}`);
    return found.id;
  };
  const userPath = async (username: string) => `/users/${await find(`/users?exact=true&username=${username}`)}`;
  const changeRole = async (method: 'POST' | 'DELETE', path: string, role: Role): Promise<void> => {
    const representation: unknown = await (await admin('GET', `/roles/${role}`)).json();
    await admin(method, `${path}/role-mappings/realm`, [representation]);
  };
  const disable = async (path: string): Promise<void> => {
    const current = (await (await admin('GET', path)).json()) as object;
    await admin('PUT', path, { ...current, enabled: false });
  };

  return {
    baseUrl,
    issuer: `${baseUrl}/realms/${REALM}`,
    async newUser(role) {
      const username = `user-${randomUUID()}`;
      const path = await create('/users', userOf(username));
      await changeRole('POST', path, role);
      return username;
    },
    async newClient(kind, attributes) {
      const clientId = `client-${randomUUID()}`;
      const path = await create('/clients', clientOf(kind, clientId, attributes));
      if (kind === 'service') {
        const account = (await (await admin('GET', `${path}/service-account-user`)).json()) as { id: string };
        await changeRole('POST', `/users/${account.id}`, 'order-manager');
      }
      return clientId;
    },
    takeRole: async (username, role) => changeRole('DELETE', await userPath(username), role),
    disableUser: async (username) => disable(await userPath(username)),
    disableClient: async (clientId) => disable(`/clients/${await find(`/clients?clientId=${clientId}`)}`),
    endSession: async (sid) => void (await admin('DELETE', `/sessions/${sid}`)),
    endSessionsOf: async (username) => void (await admin('POST', `${await userPath(username)}/logout`)),
    logOutUser: async (username) => void (await admin('POST', `${await userPath(username)}/logout`)),
    stop: async () => void (await Promise.all(made.map((path) => admin('DELETE', path)))),
  };
}

function adminOf(baseUrl: string) {
  let login: { readonly token: Promise<string>; readonly until: number } | undefined;
  const tokenOfNow = (): Promise<string> => {
    // Keycloak gives them for a minute.
    if (login === undefined || login.until < Date.now()) {
      login = { token: adminToken(baseUrl), until: Date.now() + 20_000 };
    }
    return login.token;
  };
  return async (method: string, path: string, body?: object): Promise<Response> => {
    const response = await fetch(`${baseUrl}/admin/realms/${REALM}${path}`, {
      method,
      headers: { Authorization: `Bearer ${await tokenOfNow()}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return response;
  };
}

async function adminToken(baseUrl: string): Promise<string> {
  const login = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: 'admin' };
  const answer = await fetch(`${baseUrl}/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams(login),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}
