/** All that one running server knows, handed to each of its endpoints. */
import type { AdjustableClock } from './adjustable-clock.js';
import type { AuthorizationCodes } from './authorization-codes.js';
import type { PendingLogins } from './pending-logins.js';
import type { PendingLogouts } from './pending-logouts.js';
import type { Realm } from './realm.js';
import type { Sessions } from './sessions.js';
import type { SigningKeys } from './signing-keys.js';

export interface ServerState {
  readonly baseUrl: string;
  readonly issuer: string;
  readonly realm: Realm;
  readonly clock: AdjustableClock;
  readonly keys: SigningKeys;
  readonly sessions: Sessions;
  readonly codes: AuthorizationCodes;
  readonly logins: PendingLogins;
  readonly logouts: PendingLogouts;
}
