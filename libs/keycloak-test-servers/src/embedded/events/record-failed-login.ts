import { recordUserEvent } from './record-user-event.js';
import type { HttpCall } from '../http/http-call.js';
import type { RealmClient, RealmUser } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import type { Lockout, LoginError } from '../state/login-failures.js';

export interface FailedLogin {
  readonly client: RealmClient;
  readonly user: RealmUser | undefined;
  readonly error: LoginError;
  readonly lockout?: Lockout | undefined;
  readonly details: Readonly<Record<string, string | undefined>>;
}

export function recordFailedLogin(server: ServerState, call: HttpCall, failed: FailedLogin): void {
  const { client, user, error, lockout, details } = failed;
  recordUserEvent(server, call, { type: 'LOGIN_ERROR', client, user, error, details });
  if (lockout === undefined) return;
  const { failures, untilSeconds } = lockout;
  recordUserEvent(server, call, {
    type: untilSeconds === undefined ? 'USER_DISABLED_BY_PERMANENT_LOCKOUT' : 'USER_DISABLED_BY_TEMPORARY_LOCKOUT',
    user,
    details: {
      reason: 'brute_force_attack detected',
      num_failures: String(failures),
      not_before: untilSeconds === undefined ? undefined : localTime(untilSeconds),
    },
  });
}

export const localTime = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().slice(0, 19).replace(/:00$/, '');
