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
  newClient(kind: keyof typeof CLIENTS): Promise<string>;
  takeRole(username: string, role: Role): Promise<void>;
  disableUser(username: string): Promise<void>;
  disableClient(clientId: string): Promise<void>;
  endSession(sid: string): Promise<void>;
  endSessionsOf(username: string): Promise<void>;
  stop(): Promise<void>;
}

/** The secret of {@link ContractServer.newClient}'s clients. */
export const NEW_CLIENT_SECRET = 'the-secret';

const COMMON = {
  standardFlowEnabled: false,
  fullScopeAllowed: false,
  defaultClientScopes: ['basic', 'roles', 'profile', 'email'],
  attributes: { 'access.token.header.type.rfc9068': 'true' },
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
  'no service account': { ...COMMON, secret: NEW_CLIENT_SECRET, publicClient: false, optionalClientScopes: [] },
  'plain header': { ...COMMON, publicClient: true, directAccessGrantsEnabled: true, attributes: {} },
} as const;

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
    async newClient(kind) {
      const clientId = `client-${randomUUID()}`;
      control.addClient({ clientId, ...CLIENTS[kind] });
      if (kind === 'service') control.setRealmRoles(`service-account-${clientId}`, ['order-manager']);
      return clientId;
    },
    takeRole: async (username) => control.setRealmRoles(username, []),
    disableUser: async (username) => control.disableUser(username),
    disableClient: async (clientId) => control.disableClient(clientId),
    endSession: async (sid) => control.endSession(sid),
    endSessionsOf: async (username) => control.endSessionsOf(username),
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
    async newClient(kind) {
      const clientId = `client-${randomUUID()}`;
      const path = await create('/clients', { clientId, ...CLIENTS[kind] });
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
    stop: async () => void (await Promise.all(made.map((path) => admin('DELETE', path)))),
  };
}

function adminOf(baseUrl: string) {
  return async (method: string, path: string, body?: object): Promise<Response> => {
    const login = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: 'admin' };
    const token = await fetch(`${baseUrl}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams(login),
    });
    const { access_token } = (await token.json()) as { access_token: string };
    const response = await fetch(`${baseUrl}/admin/realms/${REALM}${path}`, {
      method,
      headers: { Authorization: `Bearer ${access_token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return response;
  };
}
