import type { LoggedEvent } from './event-log.js';
import type { UserEventType } from './event-types.js';

export interface UserEvent extends LoggedEvent {
  readonly type: UserEventType;
  readonly realmId: string;
  readonly clientId?: string;
  readonly userId?: string;
  readonly sessionId?: string;
  readonly ipAddress: string;
  readonly error?: string;
  readonly details?: EventDetails;
}

/** The details may contain token ids, but contain no tokens, codes or secrets. */
export type EventDetails = Readonly<Record<string, string>>;
