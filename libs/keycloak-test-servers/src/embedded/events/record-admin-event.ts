import { randomUUID } from 'node:crypto';
import type { Operation, Resource } from '../state/admin-event.js';
import { signalAdminAction } from '../streams/user-signals.js';
import type { HttpCall } from '../http/http-call.js';
import type { RealmClient, RealmUser } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';
import type { ServerState } from '../state/server-state.js';

export interface Administrator {
  readonly realm: Realm;
  readonly client: RealmClient;
  readonly user: RealmUser;
}

export interface RecordedRequest {
  readonly server: ServerState;
  readonly call: HttpCall;
  readonly path: string;
  readonly administrator: Administrator;
  /** Whether recording was enabled before the request, because the request may disable recording. */
  readonly isRecorded: boolean;
}

export interface Change {
  readonly operation: Operation;
  readonly resource: Resource;
  readonly path?: string;
  readonly representation?: unknown;
}

/** SSF receivers get the event even if the realm does not record the event. */
export function recordAdminEvent(request: RecordedRequest, change: Change): void {
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

/** Removes credentials and masks a secret, as Keycloak does. */
function withoutSecrets(representation: unknown): unknown {
  if (typeof representation !== 'object' || representation === null || Array.isArray(representation))
    return representation;
  const members = Object.entries(representation).filter(([name]) => name !== 'credentials');
  return Object.fromEntries(members.map(([name, value]) => [name, name === 'secret' ? MASK : (value as unknown)]));
}

export const MASK = '**********';
