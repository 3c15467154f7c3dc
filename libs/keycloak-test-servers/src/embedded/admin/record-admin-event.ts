/** recordAdminEvent(): adds a change to the log of what administrators did, where the realm wants that. */
import { randomUUID } from 'node:crypto';
import type { Operation, Resource } from '../events/admin-event.js';
import { signalAdminAction } from '../ssf/user-signals.js';
import type { AdminRequest } from './admin-request.js';

export interface Change {
  readonly operation: Operation;
  readonly resource: Resource;
  /** Default: the path of the request. */
  readonly path?: string;
  /** What the request sent, or what became of it. */
  readonly representation?: unknown;
}

/** Records nothing while the realm's `adminEventsEnabled` is off. Receivers of shared signals are told all the same. */
export function recordAdminEvent(request: AdminRequest, change: Change): void {
  const { server, call, path, administrator, isRecorded } = request;
  const { realm, clock, events } = server;
  const { operation, resource, path: resourcePath = path, representation } = change;
  if (resource === 'USER') signalAdminAction(server, resourcePath);
  if (!isRecorded) return;
  const isShown = realm.settings.adminEventsDetailsEnabled && representation !== undefined;
  events.admin.add({
    id: randomUUID(),
    time: clock.nowMs(),
    realmId: realm.id,
    authDetails: {
      realmId: administrator.realm.id,
      clientId: administrator.client.id,
      userId: administrator.user.id,
      ipAddress: call.remoteAddress,
    },
    operationType: operation,
    resourceType: resource,
    ...(resourcePath === '' ? {} : { resourcePath }),
    ...(isShown ? { representation: JSON.stringify(withoutSecrets(representation)) } : {}),
  });
}

/** As in Keycloak: credentials are left out, and a secret is masked. */
function withoutSecrets(representation: unknown): unknown {
  if (typeof representation !== 'object' || representation === null || Array.isArray(representation))
    return representation;
  const members = Object.entries(representation).filter(([name]) => name !== 'credentials');
  return Object.fromEntries(members.map(([name, value]) => [name, name === 'secret' ? MASK : (value as unknown)]));
}

/** In place of a secret. */
export const MASK = '**********';
