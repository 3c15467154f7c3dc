import type { LoggedEvent } from './event-log.js';
import type { UserEventType } from './event-types.js';

export interface UserEvent extends LoggedEvent {
  readonly type: UserEventType;
  /** The id of the realm, not its name. */
  readonly realmId: string;
  readonly clientId?: string;
  readonly userId?: string;
  readonly sessionId?: string;
  readonly ipAddress: string;
  readonly error?: string;
  readonly details?: EventDetails;
}

/** May contain token ids, but never tokens, codes or secrets. */
export type EventDetails = Readonly<Record<string, string>>;
