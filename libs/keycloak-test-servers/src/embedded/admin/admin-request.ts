import type { RecordedRequest } from '../events/record-admin-event.js';
import type { HttpAnswer, HttpCall } from '../http/http-call.js';
import { toRecord } from '../realm/realm-representation.js';
import { AdminRefusal } from './admin-refusal.js';

export interface AdminRequest extends RecordedRequest {
  readonly id: string;
}

export type AdminEndpoint = (request: AdminRequest) => HttpAnswer | Promise<HttpAnswer>;

export function objectIn(call: HttpCall): Readonly<Record<string, unknown>> {
  const json = jsonIn(call);
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return toRecord(json);
  throw unreadable('unknown_error');
}

export function listIn(call: HttpCall): readonly unknown[] {
  const json = jsonIn(call);
  if (Array.isArray(json)) return json as unknown[];
  throw unreadable('unknown_error');
}

function jsonIn({ contentType, body }: HttpCall): unknown {
  if (!contentType.startsWith('application/json')) {
    throw new AdminRefusal(415, { error: 'The content-type header value did not match the value in @Consumes' });
  }
  try {
    return JSON.parse(body);
  } catch {
    throw unreadable('invalid_request');
  }
}

export const unreadable = (error: string): AdminRefusal =>
  new AdminRefusal(400, { error, error_description: 'Cannot parse the JSON' });
