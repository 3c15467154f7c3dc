import type { IssuerRecheck } from '../../extension/index.js';
import { identifier } from '../identifiers.js';
import type { IssuerDenial } from '../signal-source.js';

export type EventRepresentation = Readonly<Record<string, unknown>>;

export type EventSignal = { readonly denial: IssuerDenial } | { readonly recheck: IssuerRecheck };

/**
 * The types of events that make tokens invalid (Keycloak's administration guide, "Event types"). After a password
 * change, Keycloak keeps the sessions, or writes a LOGOUT event for each ended session.
 */
export const USER_EVENT_TYPES = [
  'LOGOUT',
  'REVOKE_GRANT',
  'USER_DISABLED_BY_PERMANENT_LOCKOUT',
  'DELETE_ACCOUNT',
] as const;

export function userEventSignal(event: EventRepresentation): EventSignal | undefined {
  const [sid, sub] = [identifier(event['sessionId']), identifier(event['userId'])];
  switch (event['type']) {
    case 'LOGOUT':
      if (sid !== undefined) return { denial: { sid } };
      return sub === undefined ? undefined : { recheck: { sub } };
    // A REVOKE_GRANT event with a session means that Keycloak revoked a refresh token. Revoking a refresh token does
    // not affect later tokens of the session or tokens of other clients. Without a session, the event means that
    // Keycloak revoked one access token of the user.
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

/** Also denies the tokens issued in the same second as the event, since token times are whole seconds. */
export function ofUser(sub: string, time: unknown): EventSignal {
  const isTime = typeof time === 'number' && time > 0 && time < MAX_EPOCH_MS;
  return isTime ? { denial: { sub, issuedBefore: Math.floor(time / 1000) + 1 } } : { recheck: { sub } };
}

const MAX_EPOCH_MS = 1e14;
