import { recordAdminEvent } from '../events/record-admin-event.js';
import type { HttpAnswer } from '../http/http-call.js';
import { toRecord, type RealmRole } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';
import { DONE, found } from './admin-answer.js';
import { notFound } from './admin-refusal.js';
import { listIn, type AdminRequest } from './admin-request.js';
import { userOf } from './users.js';

export function readRole({ server: { realm }, id }: AdminRequest): HttpAnswer {
  const role = realm.roles.find(({ name }) => name === id);
  if (role === undefined) throw notFound('Could not find role');
  return found({ ...representationOf(realm, role), attributes: {} });
}

export function readRolesOfUser({ server, id }: AdminRequest): HttpAnswer {
  const { realmRoles } = userOf(server, id);
  const roles = server.realm.roles.filter(({ name }) => realmRoles.includes(name));
  return found(roles.map((role) => representationOf(server.realm, role)));
}

export function readAvailableRoles({ server, id }: AdminRequest): HttpAnswer {
  const { realmRoles } = userOf(server, id);
  const roles = server.realm.roles.filter(({ name }) => !realmRoles.includes(name));
  return found(roles.map((role) => representationOf(server.realm, role)));
}

export function addRoles(request: AdminRequest): HttpAnswer {
  const user = userOf(request.server, request.id);
  const added = rolesIn(request);
  user.realmRoles = [...new Set([...user.realmRoles, ...added.map(({ name }) => name)])];
  recordMapping(request, 'CREATE', added);
  return DONE;
}

export function removeRoles(request: AdminRequest): HttpAnswer {
  const user = userOf(request.server, request.id);
  const removed = rolesIn(request);
  user.realmRoles = user.realmRoles.filter((role) => !removed.some(({ name }) => name === role));
  recordMapping(request, 'DELETE', removed);
  return DONE;
}

function rolesIn({ server, call }: AdminRequest): RealmRole[] {
  return listIn(call).map((json) => {
    const { id, name } = toRecord(json);
    const role = server.realm.roles.find((known) => known.id === id && known.name === name);
    if (role === undefined) throw notFound('Role not found');
    return role;
  });
}

function recordMapping(request: AdminRequest, operation: 'CREATE' | 'DELETE', roles: readonly RealmRole[]): void {
  const representation = roles.map((role) => ({ ...representationOf(request.server.realm, role), attributes: {} }));
  recordAdminEvent(request, { operation, resource: 'REALM_ROLE_MAPPING', representation });
}

const representationOf = (realm: Realm, { id, name }: RealmRole) => ({
  id,
  name,
  composite: false,
  clientRole: false,
  containerId: realm.id,
});
