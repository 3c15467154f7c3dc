/** The part of Keycloak's admin REST API that tests need: its routes, and who may call them. */
import { json, type HttpAnswer, type HttpCall } from '../http/http-call.js';
import { findLiveAccessToken } from '../tokens/live-token.js';
import type { ServerRealms, ServerState } from '../server-state.js';
import { bearerToken } from '../tokens/userinfo-endpoint.js';
import { AdminRefusal, notFound, notImplemented } from './admin-refusal.js';
import type { AdminEndpoint } from './admin-request.js';
import {
  createClient,
  deleteClient,
  findClients,
  readClient,
  readSecret,
  readServiceAccount,
  regenerateSecret,
  updateClient,
} from './clients.js';
import { ADMIN_ROLE } from './master-realm.js';
import { readRealm, updateRealm } from './realm-settings-endpoint.js';
import { addRoles, readRole, readRolesOfUser, removeRoles } from './roles.js';
import { deleteSession, logOutUser } from './user-sessions.js';
import { createUser, deleteUser, findUsers, readUser, updateUser } from './users.js';

export const ADMIN_PATH = '/admin/realms';

type Methods = Readonly<Partial<Record<string, AdminEndpoint>>>;

/** Paths relative to `/admin/realms/<realm>`. */
const ROUTES: Readonly<Record<string, Methods>> = {
  '': { GET: readRealm, PUT: updateRealm },
  '/users': { GET: findUsers, POST: createUser },
  '/users/:id': { GET: readUser, PUT: updateUser, DELETE: deleteUser },
  '/users/:id/logout': { POST: logOutUser },
  '/users/:id/role-mappings/realm': { GET: readRolesOfUser, POST: addRoles, DELETE: removeRoles },
  '/roles/:id': { GET: readRole },
  '/clients': { GET: findClients, POST: createClient },
  '/clients/:id': { GET: readClient, PUT: updateClient, DELETE: deleteClient },
  '/clients/:id/client-secret': { GET: readSecret, POST: regenerateSecret },
  '/clients/:id/service-account-user': { GET: readServiceAccount },
  '/sessions/:id': { DELETE: deleteSession },
};

const PATTERNS = Object.entries(ROUTES).map(([path, methods]) => ({
  pattern: new RegExp(`^${path.replace(':id', '([^/]+)')}$`),
  methods,
}));

export async function adminApi(realms: ServerRealms, call: HttpCall): Promise<HttpAnswer> {
  try {
    const isAdministrator = await authenticate(realms, call);
    const [, name = '', path = ''] = /^\/([^/]+)(.*)$/.exec(call.path.slice(ADMIN_PATH.length)) ?? [];
    const server = await realmNamed(realms, decodeURIComponent(name));
    const { endpoint, id } = endpointFor(call, path);
    if (!isAdministrator) throw new AdminRefusal(403, { error: 'HTTP 403 Forbidden' });
    return await endpoint({ server, call, id });
  } catch (refusal) {
    if (!(refusal instanceof AdminRefusal)) throw refusal;
    return json(refusal.status, refusal.members);
  }
}

/** Returns whether the token belongs to an administrator. Throws 401 if it is not valid at all. */
async function authenticate(realms: ServerRealms, call: HttpCall): Promise<boolean> {
  const token = bearerToken(call) ?? '';
  const administrator = await findLiveAccessToken(await realms.master(), token);
  if (administrator !== undefined) return administrator.user.realmRoles.includes(ADMIN_ROLE);
  if ((await findLiveAccessToken(realms.main, token)) !== undefined) return false;
  throw new AdminRefusal(401, { error: 'HTTP 401 Unauthorized' });
}

async function realmNamed({ main, master }: ServerRealms, name: string): Promise<ServerState> {
  if (name === '') throw notImplemented('a list of realms');
  const server = [main, await master()].find(({ realm }) => realm.name === name);
  if (server === undefined) throw notFound('Realm not found.');
  return server;
}

function endpointFor({ method }: HttpCall, path: string): { endpoint: AdminEndpoint; id: string } {
  for (const { pattern, methods } of PATTERNS) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const endpoint = methods[method];
    if (endpoint === undefined) throw new AdminRefusal(405, { error: 'HTTP 405 Method Not Allowed' });
    return { endpoint, id: decodeURIComponent(match[1] ?? '') };
  }
  throw notImplemented(`${method} …${path}`);
}
