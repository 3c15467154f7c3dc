/** The session or the user that an event is about (RFC 9493, SSF 1.0 §3). */
import { identifier } from '../identifiers.js';
import { isObject, type JsonObject } from './transmitter-answers.js';

export type EventSubject =
  { readonly sid: string; readonly sub?: string | undefined } | { readonly sub: string; readonly sid?: undefined };

export interface UnknownSubject {
  readonly fault: 'subject_unknown' | 'subject_of_other_issuer' | 'session_unknown' | 'critical_member_unknown';
  readonly sub?: string | undefined;
}

/** The session id that Keycloak sends for all sessions of a user. */
const ALL_SESSIONS = 'ALL';

const UNDERSTOOD: ReadonlySet<string> = new Set(['user', 'session']);

/** `criticalMembers` are the subject members that the receiver must understand (SSF 1.0 §3.3). */
export function readSubject(
  subId: unknown,
  issuer: string,
  criticalMembers: readonly string[],
): EventSubject | UnknownSubject {
  if (!isObject(subId)) return { fault: 'subject_unknown' };
  if (subId['format'] !== 'complex') {
    const user = readUser(subId, issuer);
    if ('fault' in user) return user;
    return user.sub === undefined ? { fault: 'subject_unknown' } : { sub: user.sub };
  }
  return readComplex(subId, issuer, criticalMembers);
}

function readComplex(
  { user: userId, session, ...others }: JsonObject,
  issuer: string,
  criticalMembers: readonly string[],
): EventSubject | UnknownSubject {
  const user = isObject(userId) ? readUser(userId, issuer) : { sub: undefined };
  if ('fault' in user) return user;
  const { sub } = user;
  const isCritical = (name: string): boolean => criticalMembers.includes(name);
  const isUserMissing = userId !== undefined && sub === undefined;
  if (
    (isUserMissing && isCritical('user')) ||
    Object.keys(others).some((name) => isCritical(name) && !UNDERSTOOD.has(name))
  ) {
    return { fault: 'critical_member_unknown' };
  }
  const id = session === undefined ? ALL_SESSIONS : readSession(session);
  if (id === undefined) return { fault: 'session_unknown', sub };
  if (id !== ALL_SESSIONS) return { sub, sid: id };
  return sub === undefined ? { fault: 'subject_unknown' } : { sub };
}

function readUser(user: JsonObject, issuer: string): { readonly sub: string | undefined } | UnknownSubject {
  if (user['format'] !== 'iss_sub') return { sub: undefined };
  return user['iss'] === issuer ? { sub: identifier(user['sub']) } : { fault: 'subject_of_other_issuer' };
}

const readSession = (session: unknown): string | undefined =>
  isObject(session) && session['format'] === 'opaque' ? identifier(session['id']) : undefined;
