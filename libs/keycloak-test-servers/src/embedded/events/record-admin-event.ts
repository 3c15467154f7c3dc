/** recordAdminEvent(): adds a change to the log of what administrators did, where the realm wants that. */
import { randomUUID } from 'node:crypto';
import type { Operation, Resource } from '../state/admin-event.js';
import { signalAdminAction } from '../streams/user-signals.js';
import type { HttpCall } from '../http/http-call.js';
import type { RealmClient, RealmUser } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';
import type { ServerState } from '../state/server-state.js';

/** The owner of the token of a request, and its realm. */
export interface Administrator {
  readonly realm: Realm;
  readonly client: RealmClient;
  readonly user: RealmUser;
}

/** A request to the admin REST API, as far as its event shows it. */
export interface RecordedRequest {
  /** The realm that is administered. */
  readonly server: ServerState;
  readonly call: HttpCall;
  /** Below `/admin/realms/<realm>/`; empty for the realm itself. */
  readonly path: string;
  readonly administrator: Administrator;
  /** Whether the realm's `adminEventsEnabled` was on when the request came: the change that turns it off is recorded, too. */
  readonly isRecorded: boolean;
}

export interface Change {
  readonly operation: Operation;
  readonly resource: Resource;
  /** Default: the path of the request. */
  readonly path?: string;
  /** What the request sent, or what became of it. */
  readonly representation?: unknown;
}

/** Records nothing while the realm's `adminEventsEnabled` is off. Receivers of shared signals are told all the same. */
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

/** As in Keycloak: credentials are left out, and a secret is masked. */
function withoutSecrets(representation: unknown): unknown {
  if (typeof representation !== 'object' || representation === null || Array.isArray(representation))
    return representation;
  const members = Object.entries(representation).filter(([name]) => name !== 'credentials');
  return Object.fromEntries(members.map(([name, value]) => [name, name === 'secret' ? MASK : (value as unknown)]));
}

/** In place of a secret. */
export const MASK = '**********';
