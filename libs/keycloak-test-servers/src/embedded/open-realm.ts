import type { AdjustableClock } from './state/adjustable-clock.js';
import { AuthorizationCodes } from './state/authorization-codes.js';
import type { AdminEvent } from './state/admin-event.js';
import type { UserEvent } from './state/user-event.js';
import { EventLog } from './state/event-log.js';
import { realmPath } from './realm/realm-paths.js';
import { LoginFailures } from './state/login-failures.js';
import { PendingLogins } from './state/pending-logins.js';
import { PendingLogouts } from './state/pending-logouts.js';
import type { Realm } from './realm/realm.js';
import type { ServerRealms, ServerState } from './state/server-state.js';
import { MASTER, masterRealm } from './realm/master-realm.js';
import { Sessions } from './state/sessions.js';
import { Outbox } from './state/outbox.js';
import { addSsfScopes, hasTransmitter } from './streams/transmitter.js';
import { makeSigningKeys, type SigningKeys } from './state/signing-keys.js';

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

export function withMaster(main: ServerState): ServerRealms {
  let master: Promise<ServerState> | undefined;
  return {
    main,
    master: () => (master ??= main.realm.name === MASTER ? Promise.resolve(main) : newMaster(main)),
  };
}

async function newMaster({ baseUrl, clock }: ServerState): Promise<ServerState> {
  return openRealm(baseUrl, masterRealm(), await makeSigningKeys(), clock);
}
