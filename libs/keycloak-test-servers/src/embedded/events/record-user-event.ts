import { randomUUID } from 'node:crypto';
import type { HttpCall } from '../http/http-call.js';
import type { RealmClient, RealmUser } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import { signalLogout } from '../streams/user-signals.js';
import { savedEventTypes, type UserEventType } from '../state/event-types.js';

export interface UserDeed {
  readonly type: UserEventType;
  /** The client, or a client id that may be unknown to the realm. */
  readonly client?: RealmClient | string | undefined;
  readonly user?: Pick<RealmUser, 'id'> | undefined;
  readonly sid?: string | undefined;
  readonly error?: string;
  readonly details?: Readonly<Record<string, string | undefined>>;
}

/**
 * Sends a logout event to SSF receivers, even if the event is not recorded. Keycloak 26.7 fails to send a logout event
 * without details, so this server does not send such an event.
 */
export function recordUserEvent(server: ServerState, call: HttpCall, deed: UserDeed): void {
  const { realm, clock, events } = server;
  const { type, client, user, sid, error, details = {} } = deed;
  const given = Object.entries(details).filter((detail): detail is [string, string] => detail[1] !== undefined);
  if (type === 'LOGOUT' && user !== undefined && sid !== undefined && given.length > 0)
    signalLogout(server, user.id, sid);
  if (!realm.settings.eventsEnabled || !savedEventTypes(realm.settings).includes(type)) return;
  const clientId = typeof client === 'string' ? client : client?.clientId;
  events.users.add({
    id: randomUUID(),
    time: clock.nowMs(),
    type,
    realmId: realm.id,
    ...(clientId === undefined ? {} : { clientId }),
    ...(user === undefined ? {} : { userId: user.id }),
    ...(sid === undefined ? {} : { sessionId: sid }),
    ipAddress: call.remoteAddress,
    ...(error === undefined ? {} : { error }),
    ...(given.length === 0 ? {} : { details: Object.fromEntries(given) }),
  });
}

/** As in Keycloak, the method is `client-secret` even for a public client. */
export const authMethodOf = ({ signsAssertions }: RealmClient): string =>
  signsAssertions ? 'client-jwt' : 'client-secret';
