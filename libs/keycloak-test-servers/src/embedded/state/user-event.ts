/** UserEvent: what a user or a client did at the realm; Keycloak's login events. */
import type { LoggedEvent } from './event-log.js';
import type { UserEventType } from './event-types.js';

/** As `/admin/realms/<realm>/events` returns it. */
export interface UserEvent extends LoggedEvent {
  readonly type: UserEventType;
  /** The id of the realm, not its name. */
  readonly realmId: string;
  /** The `client_id`. */
  readonly clientId?: string;
  readonly userId?: string;
  /** The `sid` of tokens. */
  readonly sessionId?: string;
  readonly ipAddress: string;
  readonly error?: string;
  readonly details?: EventDetails;
}

/** Ids of tokens are among them; tokens, codes and secrets are not. */
export type EventDetails = Readonly<Record<string, string>>;
