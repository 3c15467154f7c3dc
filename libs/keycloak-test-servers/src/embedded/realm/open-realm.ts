/** openRealm(): the initial state of a realm, without sessions. */
import type { AdjustableClock } from '../adjustable-clock.js';
import { AuthorizationCodes } from '../tokens/authorization-codes.js';
import { EventLog } from '../events/event-log.js';
import { realmPath } from '../discovery.js';
import { LoginFailures } from '../browser/login-failures.js';
import { PendingLogins } from '../browser/pending-logins.js';
import { PendingLogouts } from '../browser/pending-logouts.js';
import type { Realm } from './realm.js';
import type { ServerState } from '../server-state.js';
import { Sessions } from '../sessions.js';
import type { SigningKeys } from '../tokens/signing-keys.js';

export function openRealm(baseUrl: string, realm: Realm, keys: SigningKeys, clock: AdjustableClock): ServerState {
  const sessions = new Sessions(realm, clock);
  return {
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
    events: { users: new EventLog(), admin: new EventLog() },
  };
}
