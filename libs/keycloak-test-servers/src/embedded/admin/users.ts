import { recordAdminEvent } from '../events/record-admin-event.js';
import type { HttpAnswer } from '../http/http-call.js';
import { toUser, type RealmUser } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';
import { created, DONE, found } from './admin-answer.js';
import { AdminRefusal, notFound, notImplemented } from './admin-refusal.js';
import { objectIn, type AdminRequest } from './admin-request.js';
import { userRepresentation } from './user-representation.js';

const SEARCH_PARAMETERS = ['username', 'email', 'exact', 'briefRepresentation', 'first', 'max'];

/** Finds service accounts only in a search by username or e-mail address. */
export function findUsers({ server, call: { query } }: AdminRequest): HttpAnswer {
  const other = [...query.keys()].find((name) => !SEARCH_PARAMETERS.includes(name));
  if (other !== undefined) throw notImplemented(`a search of users by ${other}`);
  const [username, email] = [query.get('username')?.toLowerCase(), query.get('email')?.toLowerCase()];
  const isWanted = (value: unknown, wanted: string | undefined): boolean => {
    if (wanted === undefined) return true;
    return query.get('exact') === 'true' ? value === wanted : String(value ?? '').includes(wanted);
  };
  const isSearch = username !== undefined || email !== undefined;
  const users = server.realm
    .users()
    .filter((user) => isSearch || user.serviceAccountOf === undefined)
    .filter((user) => isWanted(user.username, username) && isWanted(user.attributes['email'], email))
    .toSorted((a, b) => (a.username < b.username ? -1 : 1));
  const first = Number(query.get('first') ?? 0);
  return found(users.slice(first, first + Number(query.get('max') ?? 100)).map(userRepresentation));
}

export function createUser(request: AdminRequest): HttpAnswer {
  const { realm } = request.server;
  const body = objectIn(request.call);
  const { id: _, realmRoles: __, clientRoles: ___, serviceAccountClientId: ____, ...json } = body;
  if (typeof json['username'] !== 'string' || json['username'] === '') {
    throw new AdminRefusal(400, { errorMessage: 'User name is missing' });
  }
  refuseTaken(realm, toUser(json));
  const { id } = realm.addUser(json);
  recordAdminEvent(request, { operation: 'CREATE', resource: 'USER', path: `users/${id}`, representation: body });
  return created(request.call, id);
}

export const readUser = ({ server, id }: AdminRequest): HttpAnswer => found(userRepresentation(userOf(server, id)));

/** The user keeps all sessions and tokens, even if the username changes. */
export function updateUser(request: AdminRequest): HttpAnswer {
  const { server, id } = request;
  const { realm } = server;
  const user = userOf(server, id);
  const json = objectIn(request.call);
  const changed = toUser({ ...userRepresentation(user), ...json, id });
  if (changed.username !== user.username && !realm.settings.editUsernameAllowed) {
    const errorMessage = 'error-user-attribute-read-only';
    throw new AdminRefusal(400, { field: 'username', errorMessage, params: ['username'] });
  }
  refuseTaken(realm, changed);
  const { username, enabled, attributes, password = user.password } = changed;
  Object.assign(user, { username, enabled, attributes, password });
  if (enabled && server.loginFailures.release(user)) {
    recordAdminEvent(request, { operation: 'DELETE', resource: 'USER_LOGIN_FAILURE' });
  }
  recordAdminEvent(request, { operation: 'UPDATE', resource: 'USER', representation: json });
  return DONE;
}

export function deleteUser(request: AdminRequest): HttpAnswer {
  const { server, id } = request;
  const user = userOf(server, id);
  server.sessions.endAllOf(user);
  server.realm.removeUser(user);
  const representation = { id, username: user.username };
  recordAdminEvent(request, { operation: 'DELETE', resource: 'USER', representation });
  return { ...DONE, headers: { 'cache-control': 'no-cache' } };
}

export function resetPassword(request: AdminRequest): HttpAnswer {
  const user = userOf(request.server, request.id);
  const { value, temporary } = objectIn(request.call);
  if (typeof value !== 'string') throw new AdminRefusal(400, { error: 'No password provided' });
  if (value === '') throw new AdminRefusal(400, { error: 'Empty password not allowed' });
  if (temporary === true) throw notImplemented('temporary passwords');
  user.password = value;
  recordAdminEvent(request, { operation: 'ACTION', resource: 'USER' });
  return DONE;
}

export function userOf({ realm }: { readonly realm: Realm }, id: string): RealmUser {
  const user = realm.userById(id);
  if (user === undefined) throw notFound('User not found');
  return user;
}

function refuseTaken(realm: Realm, { id, username, attributes }: RealmUser): void {
  const others = realm.users().filter((user) => user.id !== id);
  const { email } = attributes;
  for (const [what, isTaken] of [
    ['email', email !== undefined && others.some((user) => user.attributes['email'] === email)],
    ['username', others.some((user) => user.username === username)],
  ] as const) {
    if (isTaken) throw new AdminRefusal(409, { errorMessage: `User exists with same ${what}` });
  }
}
