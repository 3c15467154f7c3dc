/** `/admin/realms/<realm>/users`: searches, creates, reads, updates and deletes users. */
import type { HttpAnswer } from '../http/http-call.js';
import { toUser, type RealmUser } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';
import { created, DONE, found } from './admin-answer.js';
import { AdminRefusal, notFound, notImplemented } from './admin-refusal.js';
import { objectIn, type AdminRequest } from './admin-request.js';
import { userRepresentation } from './user-representation.js';

const SEARCH_PARAMETERS = ['username', 'email', 'exact', 'briefRepresentation', 'first', 'max'];

/** Service accounts are included only in a search by user name or e-mail address. */
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

/** Ignores roles in the body: they have a separate path. */
export function createUser(request: AdminRequest): HttpAnswer {
  const { realm } = request.server;
  const { id: _, realmRoles: __, serviceAccountClientId: ___, ...json } = objectIn(request.call);
  if (typeof json['username'] !== 'string' || json['username'] === '') {
    throw new AdminRefusal(400, { errorMessage: 'User name is missing' });
  }
  refuseTaken(realm, toUser(json));
  return created(request.call, realm.addUser(json).id);
}

export const readUser = ({ server, id }: AdminRequest): HttpAnswer => found(userRepresentation(userOf(server, id)));

/** Members that are not in the body keep their values. The user keeps its sessions and tokens, even under a new name. */
export function updateUser({ server: { realm }, call, id }: AdminRequest): HttpAnswer {
  const user = userOf({ realm }, id);
  const changed = toUser({ ...userRepresentation(user), ...objectIn(call), id });
  if (changed.username !== user.username && !realm.settings.editUsernameAllowed) {
    const errorMessage = 'error-user-attribute-read-only';
    throw new AdminRefusal(400, { field: 'username', errorMessage, params: ['username'] });
  }
  refuseTaken(realm, changed);
  const { username, enabled, attributes, password = user.password } = changed;
  Object.assign(user, { username, enabled, attributes, password });
  return DONE;
}

/** Ends the user's sessions without notifying clients. */
export function deleteUser({ server, id }: AdminRequest): HttpAnswer {
  const user = userOf(server, id);
  server.sessions.endAllOf(user);
  server.realm.removeUser(user);
  return { ...DONE, headers: { 'cache-control': 'no-cache' } };
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
