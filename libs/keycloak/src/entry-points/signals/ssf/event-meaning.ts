import type { IssuerRecheck } from '../../extension/index.js';
import type { IssuerDenial } from '../signal-source.js';
import { readSubject, type EventSubject, type UnknownSubject } from './event-subject.js';
import { ENDS, HARMLESS, STREAM_UPDATED, UNCERTAIN, VERIFICATION } from './event-types.js';
import type { SetClaims } from './set-claims.js';
import { isObject } from './transmitter-answers.js';

export type MeaningFault = UnknownSubject['fault'] | 'event_unknown' | 'not_one_event' | 'other_stream';

export type EventMeaning =
  | { readonly kind: 'ended'; readonly denial: IssuerDenial }
  | { readonly kind: 'uncertain'; readonly recheck: IssuerRecheck; readonly fault?: MeaningFault }
  | { readonly kind: 'nothing'; readonly fault?: MeaningFault }
  | { readonly kind: 'verification'; readonly state: string | undefined }
  | { readonly kind: 'stream_updated'; readonly isEnabled: boolean };

export interface MeaningContext {
  readonly issuer: string;
  readonly streamId: string;
  readonly criticalMembers: readonly string[];
}

/** Uses the `iat` of the token instead of the event time: a future event time would also deny later tokens. */
export function meaningOf({ events, issuedAt, subId }: SetClaims, context: MeaningContext): EventMeaning {
  const entries = isObject(events) ? Object.entries(events) : [];
  const [type = '', event] = entries[0] ?? [];
  if (entries.length === 1 && (type === VERIFICATION || type === STREAM_UPDATED)) {
    if (Object(subId)['id'] !== context.streamId) return { kind: 'nothing', fault: 'other_stream' };
    return type === VERIFICATION ? verification(event) : streamUpdated(event);
  }
  const subject = readSubject(subId, context.issuer, context.criticalMembers);
  const recheck = recheckOf(subject);
  if (entries.length !== 1) return { kind: 'uncertain', recheck, fault: 'not_one_event' };
  if (HARMLESS.has(type)) return { kind: 'nothing' };
  if ('fault' in subject) return { kind: 'uncertain', recheck, fault: subject.fault };
  if (ENDS.has(type)) return { kind: 'ended', denial: denialOf(subject, issuedAt) };
  return UNCERTAIN.has(type) ? { kind: 'uncertain', recheck } : { kind: 'uncertain', recheck, fault: 'event_unknown' };
}

/** Also denies the tokens issued in the same second as the event, since token times are whole seconds. */
const denialOf = (subject: EventSubject, issuedAt: number): IssuerDenial =>
  subject.sid === undefined ? { sub: subject.sub, issuedBefore: Math.floor(issuedAt) + 1 } : { sid: subject.sid };

function recheckOf(subject: EventSubject | UnknownSubject): IssuerRecheck {
  if (subject.sub !== undefined) return { sub: subject.sub };
  return 'sid' in subject && subject.sid !== undefined ? { sid: subject.sid } : 'everything';
}

function verification(event: unknown): EventMeaning {
  const state: unknown = Object(event)['state'];
  return { kind: 'verification', state: typeof state === 'string' ? state : undefined };
}

/** Keycloak sends the status in an object, but SSF 1.0 §8.1.5 requires a plain status. */
function streamUpdated(event: unknown): EventMeaning {
  const given: unknown = Object(event)['status'];
  const status: unknown = isObject(given) ? given['status'] : given;
  return { kind: 'stream_updated', isEnabled: status === 'enabled' };
}
