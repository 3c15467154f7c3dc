/** A realm as a server begins with it: nobody is logged in yet. */
import type { AdjustableClock } from './adjustable-clock.js';
import { AuthorizationCodes } from './authorization-codes.js';
import { realmPath } from './discovery.js';
import { LoginFailures } from './login-failures.js';
import { PendingLogins } from './pending-logins.js';
import { PendingLogouts } from './pending-logouts.js';
import type { Realm } from './realm.js';
import type { ServerState } from './server-state.js';
import { Sessions } from './sessions.js';
import type { SigningKeys } from './signing-keys.js';

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
  };
}
