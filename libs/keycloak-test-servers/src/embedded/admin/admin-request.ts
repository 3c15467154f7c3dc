/** AdminRequest: a request to the admin REST API with its realm, the id in its path, and its body. */
import type { HttpAnswer, HttpCall } from '../http/http-call.js';
import type { ServerState } from '../server-state.js';
import { toRecord, type RealmClient, type RealmUser } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';
import { AdminRefusal } from './admin-refusal.js';

/** Whose token a request has, and of which realm. */
export interface Administrator {
  readonly realm: Realm;
  readonly client: RealmClient;
  readonly user: RealmUser;
}

export interface AdminRequest {
  /** The realm that is administered. */
  readonly server: ServerState;
  readonly call: HttpCall;
  /** Below `/admin/realms/<realm>/`; empty for the realm itself. */
  readonly path: string;
  /** The value of `:id` in the path. */
  readonly id: string;
  readonly administrator: Administrator;
  /** Whether the realm's `adminEventsEnabled` was on when the request came: the change that turns it off is recorded, too. */
  readonly isRecorded: boolean;
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
