/** User event signals: what an event of a user says of tokens (Keycloak's server administration guide, "Event types"). */
import type { IssuerRecheck } from '../../extension/index.js';
import { identifier } from '../identifiers.js';
import type { IssuerDenial } from '../signal-source.js';

/** As the admin API has it; nothing of it is believed before it is looked at. */
export type EventRepresentation = Readonly<Record<string, unknown>>;

export type EventSignal = { readonly denial: IssuerDenial } | { readonly recheck: IssuerRecheck };

/** Those that are asked for. Others end no token: after a new password Keycloak keeps the sessions, and says LOGOUT of each that it ends with it. */
export const USER_EVENT_TYPES = [
  'LOGOUT',
  'REVOKE_GRANT',
  'USER_DISABLED_BY_PERMANENT_LOCKOUT',
  'DELETE_ACCOUNT',
] as const;

/** Undefined for an event that ends nothing, or that is about nobody. */
export function userEventSignal(event: EventRepresentation): EventSignal | undefined {
  const [sid, sub] = [identifier(event['sessionId']), identifier(event['userId'])];
  switch (event['type']) {
    case 'LOGOUT':
      if (sid !== undefined) return { denial: { sid } };
      return sub === undefined ? undefined : { recheck: { sub } };
    // With a session it is a refresh token, which ends what its client has there: tokens of other clients in that session stay good, and those that come later. Else it is one access token of the user.
    case 'REVOKE_GRANT':
      if (sid !== undefined) return { recheck: { sid } };
      return { recheck: sub === undefined ? 'everything' : { sub } };
    case 'USER_DISABLED_BY_PERMANENT_LOCKOUT':
    case 'DELETE_ACCOUNT':
      return sub === undefined ? { recheck: 'everything' } : ofUser(sub, event['time']);
    default:
      return undefined;
  }
}

/** What was issued to the user until then. Tokens say when in whole seconds, so that the second of the event counts. */
export function ofUser(sub: string, time: unknown): EventSignal {
  const isTime = typeof time === 'number' && time > 0 && time < MAX_EPOCH_MS;
  return isTime ? { denial: { sub, issuedBefore: Math.floor(time / 1000) + 1 } } : { recheck: { sub } };
}

/** In the year 5138, as a denial has it. */
const MAX_EPOCH_MS = 1e14;
