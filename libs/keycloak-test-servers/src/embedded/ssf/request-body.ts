/** Reads request bodies like Keycloak, which also accepts a number as a string. */
import type { HttpCall } from '../http/http-call.js';
import { toRecord } from '../realm/realm-representation.js';
import { SsfRefusal } from './ssf-refusal.js';

export type Members = Readonly<Record<string, unknown>>;

const unreadable = (error: string): SsfRefusal =>
  new SsfRefusal(400, { error, error_description: 'Cannot parse the JSON' });

export function bodyOf({ contentType, body }: HttpCall): Members | undefined {
  if (body === '') return undefined;
  if (!contentType.startsWith('application/json')) {
    throw new SsfRefusal(415, { error: 'The content-type header value did not match the value in @Consumes' });
  }
  const json = parsed(body);
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return toRecord(json);
  throw unreadable('unknown_error');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable('invalid_request');
  }
}

export function refuseOthers(members: Members, known: readonly string[], what: string): void {
  const other = Object.keys(members).find((name) => !known.includes(name));
  if (other === undefined) return;
  const where = 'at line 1 column 1';
  const error = `Invalid json representation for ${what}. Unrecognized field "${other}" ${where}.`;
  throw new SsfRefusal(400, { error });
}

export function textIn(members: Members, name: string): string | undefined {
  const value = members[name];
  return value === undefined || value === null ? undefined : scalar(value);
}

export function numberIn(members: Members, name: string): number | undefined {
  const text = textIn(members, name);
  if (text === undefined) return undefined;
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw unreadable('unknown_error');
  return Math.trunc(Number(text));
}

export function textsIn(members: Members, name: string): readonly string[] | undefined {
  const value = members[name];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw unreadable('unknown_error');
  return (value as unknown[]).map(scalar);
}

export function objectIn(members: Members, name: string): Members | undefined {
  const value = members[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object' && !Array.isArray(value)) return toRecord(value);
  throw unreadable('unknown_error');
}

export function objectsIn(members: Members, name: string): Members | undefined {
  const found = objectIn(members, name);
  for (const member of Object.keys(found ?? {})) objectIn(found ?? {}, member);
  return found;
}

function scalar(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw unreadable('unknown_error');
}
