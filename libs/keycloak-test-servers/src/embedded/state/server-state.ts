import type { AdjustableClock } from './adjustable-clock.js';
import type { AdminEvent } from './admin-event.js';
import type { EventLog } from './event-log.js';
import type { UserEvent } from './user-event.js';
import type { AuthorizationCodes } from './authorization-codes.js';
import type { LoginFailures } from './login-failures.js';
import type { PendingLogins } from './pending-logins.js';
import type { PendingLogouts } from './pending-logouts.js';
import type { Realm } from '../realm/realm.js';
import type { Sessions } from './sessions.js';
import type { Outbox } from './outbox.js';
import type { SigningKeys } from './signing-keys.js';

export interface RealmEvents {
  readonly users: EventLog<UserEvent>;
  readonly admin: EventLog<AdminEvent>;
}

export interface ServerState {
  readonly baseUrl: string;
  readonly issuer: string;
  readonly realm: Realm;
  readonly clock: AdjustableClock;
  readonly keys: SigningKeys;
  readonly sessions: Sessions;
  readonly codes: AuthorizationCodes;
  readonly loginFailures: LoginFailures;
  readonly logins: PendingLogins;
  readonly logouts: PendingLogouts;
  readonly usedAssertions: Map<string, number>;
  readonly events: RealmEvents;
  readonly features: readonly string[];
  readonly outbox: Outbox;
}

export interface ServerRealms {
  readonly main: ServerState;
  master(): Promise<ServerState>;
}
