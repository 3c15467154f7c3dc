import { bearerToken, json, type HttpAnswer, type HttpCall } from '../http/http-call.js';
import type { Realm } from '../realm/realm.js';
import { findLiveAccessToken } from '../grants/live-token.js';
import type { ServerRealms, ServerState } from '../state/server-state.js';
import { AdminRefusal, notFound, notImplemented } from './admin-refusal.js';
import type { AdminEndpoint } from './admin-request.js';
import type { Administrator } from '../events/record-admin-event.js';
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
import { readEventsConfig, updateEventsConfig } from './events-config-endpoint.js';
import { clearAdminEvents, clearUserEvents, readAdminEvents, readUserEvents } from './events-endpoint.js';
import { ADMIN_ROLE, MASTER } from '../realm/master-realm.js';
import { readRealm, updateRealm } from './realm-settings-endpoint.js';
import { addRoles, readAvailableRoles, readRole, readRolesOfUser, removeRoles } from './roles.js';
import { deleteSession, logOutUser } from './user-sessions.js';
import {
  purgeEvents,
  purgeEventsOfClient,
  readStatistics,
  readStatisticsOfClient,
  readStream,
} from './ssf-endpoint.js';
import { logOutAll, pushRevocation, pushRevocationOfClient } from './realm-actions.js';
import { createUser, deleteUser, findUsers, readUser, resetPassword, updateUser } from './users.js';

export const ADMIN_PATH = '/admin/realms';

type Methods = Readonly<Partial<Record<string, AdminEndpoint>>>;

const ROUTES: Readonly<Record<string, Methods>> = {
  '': { GET: readRealm, PUT: updateRealm },
  '/logout-all': { POST: logOutAll },
  '/push-revocation': { POST: pushRevocation },
  '/users': { GET: findUsers, POST: createUser },
  '/users/:id': { GET: readUser, PUT: updateUser, DELETE: deleteUser },
  '/users/:id/logout': { POST: logOutUser },
  '/users/:id/reset-password': { PUT: resetPassword },
  '/users/:id/role-mappings/realm': { GET: readRolesOfUser, POST: addRoles, DELETE: removeRoles },
  '/users/:id/role-mappings/realm/available': { GET: readAvailableRoles },
  '/roles/:id': { GET: readRole },
  '/clients': { GET: findClients, POST: createClient },
  '/clients/:id': { GET: readClient, PUT: updateClient, DELETE: deleteClient },
  '/clients/:id/client-secret': { GET: readSecret, POST: regenerateSecret },
  '/clients/:id/push-revocation': { POST: pushRevocationOfClient },
  '/clients/:id/service-account-user': { GET: readServiceAccount },
  '/sessions/:id': { DELETE: deleteSession },
  '/events': { GET: readUserEvents, DELETE: clearUserEvents },
  '/events/config': { GET: readEventsConfig, PUT: updateEventsConfig },
  '/admin-events': { GET: readAdminEvents, DELETE: clearAdminEvents },
  '/ssf/events': { DELETE: purgeEvents },
  '/ssf/events/stats': { GET: readStatistics },
  '/ssf/clients/:id/stream': { GET: readStream },
  '/ssf/clients/:id/events': { DELETE: purgeEventsOfClient },
  '/ssf/clients/:id/events/stats': { GET: readStatisticsOfClient },
};

const VIEW_EVENTS = ['view-events', 'manage-events', 'realm-admin'];
const MANAGE_EVENTS = ['manage-events', 'realm-admin'];
const MANAGE_USERS = ['manage-users', 'realm-admin'];
const VIEW_USERS = ['view-users', ...MANAGE_USERS];

const PERMITTED: Readonly<Record<string, Readonly<Partial<Record<string, readonly string[]>>>>> = {
  '/events': { GET: VIEW_EVENTS, DELETE: MANAGE_EVENTS },
  '/events/config': { GET: VIEW_EVENTS, PUT: MANAGE_EVENTS },
  '/admin-events': { GET: VIEW_EVENTS, DELETE: MANAGE_EVENTS },
  '/users': { GET: VIEW_USERS, POST: MANAGE_USERS },
  '/users/:id': { GET: VIEW_USERS, PUT: MANAGE_USERS, DELETE: MANAGE_USERS },
  '/users/:id/logout': { POST: MANAGE_USERS },
  '/users/:id/reset-password': { PUT: MANAGE_USERS },
  '/users/:id/role-mappings/realm': { GET: VIEW_USERS, POST: MANAGE_USERS, DELETE: MANAGE_USERS },
  '/users/:id/role-mappings/realm/available': { GET: MANAGE_USERS },
  '/sessions/:id': { DELETE: MANAGE_USERS },
  '/logout-all': { POST: MANAGE_USERS },
};

const PATTERNS = Object.entries(ROUTES).map(([path, methods]) => ({
  pattern: new RegExp(`^${path.replace(':id', '([^/]+)')}$`),
  methods,
  permitted: PERMITTED[path],
}));

export async function adminApi(realms: ServerRealms, call: HttpCall): Promise<HttpAnswer> {
  try {
    const administrator = await authenticate(realms, call);
    const [, name = '', path = ''] = /^\/([^/]+)(.*)$/.exec(call.path.slice(ADMIN_PATH.length)) ?? [];
    const server = await realmNamed(realms, decodeURIComponent(name));
    const { endpoint, id, roles } = endpointFor(call, path);
    if (!isPermitted(administrator, server.realm, roles)) {
      throw new AdminRefusal(403, { error: 'HTTP 403 Forbidden' });
    }
    const isRecorded = server.realm.settings.adminEventsEnabled;
    return await endpoint({ server, call, path: path.slice(1), id, administrator, isRecorded });
  } catch (refusal) {
    if (!(refusal instanceof AdminRefusal)) throw refusal;
    return json(refusal.status, refusal.members);
  }
}

async function authenticate({ main, master }: ServerRealms, call: HttpCall): Promise<Administrator> {
  const token = bearerToken(call) ?? '';
  for (const server of [await master(), main]) {
    const live = await findLiveAccessToken(server, token);
    if (live !== undefined) return { realm: server.realm, client: live.client, user: live.user };
  }
  throw new AdminRefusal(401, { error: 'HTTP 401 Unauthorized' });
}

function isPermitted(
  { realm, client, user }: Administrator,
  administered: Realm,
  roles: readonly string[] = [],
): boolean {
  if (realm.name === MASTER && user.realmRoles.includes(ADMIN_ROLE)) return true;
  return realm === administered && roles.some((role) => realm.permits(client, user, role));
}

async function realmNamed({ main, master }: ServerRealms, name: string): Promise<ServerState> {
  if (name === '') throw notImplemented('a list of realms');
  const server = [main, await master()].find(({ realm }) => realm.name === name);
  if (server === undefined) throw notFound('Realm not found.');
  return server;
}

function endpointFor(
  { method }: HttpCall,
  path: string,
): { endpoint: AdminEndpoint; id: string; roles: readonly string[] | undefined } {
  for (const { pattern, methods, permitted } of PATTERNS) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const endpoint = methods[method];
    if (endpoint === undefined) throw new AdminRefusal(405, { error: 'HTTP 405 Method Not Allowed' });
    return { endpoint, id: decodeURIComponent(match[1] ?? ''), roles: permitted?.[method] };
  }
  throw notImplemented(`${method} …${path}`);
}
