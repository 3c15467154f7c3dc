import { CLIENT_ROLE_SECRET } from './client-role-realm.js';
import { claimsOf } from './demo-realm.js';
import { introspect, login, request, textOf, type Caller } from './requests.js';
import type { ContractServer } from './server.js';

export type Members = Readonly<Record<string, unknown>>;

export const callerNamed = (client: string): Caller => `${client}:${CLIENT_ROLE_SECRET}`;

export const ownRealm = (server: ContractServer): Promise<ContractServer> => server.ownRealm('with client roles');

const CLAIMS = ['aud', 'realm_access', 'resource_access', 'permissions', 'by', 'https://example.com/roles'];

export const rolesIn = (members: Members): Members =>
  Object.fromEntries(CLAIMS.filter((name) => name in members).map((name) => [name, sorted(members[name])]));

/** Sorts lists, since Keycloak returns roles and audiences in any order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return (value as string[]).toSorted();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, sorted(member)]));
}

export async function everywhere(server: ContractServer, client: string) {
  const reply = await login(server, 'dora', 'openid', client);
  const token = textOf(reply);
  const headers = { authorization: `Bearer ${token}` };
  const userinfo = await request(server, '/protocol/openid-connect/userinfo', { headers });
  return {
    access: rolesIn(claimsOf(token)),
    id: rolesIn(claimsOf(textOf(reply, 'id_token'))),
    userinfo: rolesIn(userinfo.members),
    introspection: rolesIn((await introspect(server, callerNamed('orders'), token)).members),
  };
}

export const ORDERS = { orders: { roles: ['read', 'write'] } };
export const STOCK = { 'stock.v1': { roles: ['count'] } };
export const NARROW = { narrow: { roles: ['enter'] } };
export const VIEWER = { realm_access: { roles: ['order-viewer'] } };
export const ALL = {
  aud: ['narrow', 'orders', 'stock.v1'],
  ...VIEWER,
  resource_access: { ...ORDERS, ...STOCK, ...NARROW },
};
