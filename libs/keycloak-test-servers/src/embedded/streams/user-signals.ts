import type { RealmUser } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import { CREDENTIAL_CHANGE, SESSION_REVOKED } from '../state/security-event-types.js';
import { canBeSent, putIntoOutbox, type Receiver, type SecurityEvent } from './security-event-token.js';
import { isReceiver, streamOf } from './stream.js';
import { hasTransmitter } from './transmitter.js';

const ALL_SESSIONS = 'ALL';

const ADMIN_ACTIONS: Readonly<Record<string, (server: ServerState, sub: string) => SecurityEvent>> = {
  logout: (server, sub) => sessionRevoked(server, sub, ALL_SESSIONS),
  'reset-password': credentialChange,
};

export function signalLogout(server: ServerState, sub: string, sid: string): void {
  dispatch(server, sub, sessionRevoked(server, sub, sid));
}

export function signalAdminAction(server: ServerState, path: string): void {
  const [, sub = '', action = ''] = /^users\/([^/]+)\/(.+)$/.exec(path) ?? [];
  const event = Object.hasOwn(ADMIN_ACTIONS, action) ? ADMIN_ACTIONS[action] : undefined;
  if (event !== undefined) dispatch(server, sub, event(server, sub));
}

function dispatch(server: ServerState, sub: string, event: SecurityEvent): void {
  const user = server.realm.userById(sub);
  if (user === undefined || !hasTransmitter(server)) return;
  for (const receiver of receivers(server)) {
    if (!isWanted(receiver, user, event)) continue;
    putIntoOutbox(server, receiver, event, { status: receiver.stream.status === 'paused' ? 'HELD' : 'PENDING' });
  }
}

function receivers({ realm }: ServerState): Receiver[] {
  return realm.clients().flatMap((client) => {
    const stream = client.enabled && isReceiver(client) ? streamOf(client) : undefined;
    return stream === undefined ? [] : [{ client, stream }];
  });
}

function isWanted({ client, stream }: Receiver, user: RealmUser, { type }: SecurityEvent): boolean {
  if (stream.status === 'disabled' || !canBeSent(stream)) return false;
  if (stream.eventsRequested?.includes(type) === false) return false;
  const ofUser = user.attributes[`ssf.notify.${client.clientId}`];
  return ofUser === 'true' || (stream.defaultSubjects === 'ALL' && ofUser !== 'false');
}

function sessionRevoked(server: ServerState, sub: string, sid: string): SecurityEvent {
  return {
    type: SESSION_REVOKED,
    payload: {
      event_timestamp: server.clock.now(),
      initiating_entity: 'user',
      reason_admin: { en: 'User logout' },
    },
    subject: { format: 'complex', user: userSubject(server, sub), session: { format: 'opaque', id: sid } },
  };
}

function credentialChange(server: ServerState, sub: string): SecurityEvent {
  return {
    type: CREDENTIAL_CHANGE,
    payload: {
      event_timestamp: server.clock.now(),
      initiating_entity: 'admin',
      credential_type: 'password',
      change_type: 'update',
      kc_credential_type: 'password',
    },
    subject: userSubject(server, sub),
  };
}

const userSubject = ({ issuer }: ServerState, sub: string) => ({ format: 'iss_sub', iss: issuer, sub });
