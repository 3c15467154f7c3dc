/** openRealm(): the initial state of a realm, without sessions. */
import type { AdjustableClock } from '../adjustable-clock.js';
import { AuthorizationCodes } from '../tokens/authorization-codes.js';
import type { AdminEvent } from '../events/admin-event.js';
import type { UserEvent } from '../events/user-event.js';
import { EventLog } from '../events/event-log.js';
import { realmPath } from './realm-paths.js';
import { LoginFailures } from '../browser/login-failures.js';
import { PendingLogins } from '../browser/pending-logins.js';
import { PendingLogouts } from '../browser/pending-logouts.js';
import type { Realm } from './realm.js';
import type { ServerState } from '../server-state.js';
import { Sessions } from '../sessions.js';
import { Outbox } from '../ssf/outbox.js';
import { addSsfScopes, hasTransmitter } from '../ssf/transmitter.js';
import type { SigningKeys } from '../tokens/signing-keys.js';

export function openRealm(
  baseUrl: string,
  realm: Realm,
  keys: SigningKeys,
  clock: AdjustableClock,
  features: readonly string[] = [],
): ServerState {
  const sessions = new Sessions(realm, clock);
  const server = {
    baseUrl,
    issuer: baseUrl + realmPath(realm.name),
    realm,
    clock,
    keys,
    sessions,
    codes: new AuthorizationCodes(sessions, realm, clock),
    loginFailures: new LoginFailures(realm, clock),
    logins: new PendingLogins(),
    logouts: new PendingLogouts(),
    usedAssertions: new Map(),
    events: { users: new EventLog<UserEvent>(), admin: new EventLog<AdminEvent>() },
    features,
    outbox: new Outbox(),
  };
  if (hasTransmitter(server)) addSsfScopes(realm);
  return server;
}
