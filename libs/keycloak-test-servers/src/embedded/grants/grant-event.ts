import { decodeJwt } from 'jose';
import { authMethodOf, recordUserEvent, type UserDeed } from '../events/record-user-event.js';
import { parameter, type HttpCall } from '../http/http-call.js';
import type { RealmClient } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import type { TokenMembers } from './token-answer.js';

export interface GrantDeed extends Pick<UserDeed, 'type' | 'user' | 'sid' | 'details'> {
  readonly client: RealmClient;
  readonly isRefresh?: boolean;
}

export function recordGrant(server: ServerState, call: HttpCall, answer: TokenMembers, deed: GrantDeed): void {
  const { client, isRefresh = false, details, ...others } = deed;
  const refreshTokenId = idOf(answer['refresh_token']);
  recordUserEvent(server, call, {
    ...others,
    client,
    details: {
      token_id: idOf(answer['access_token']),
      grant_type: parameter(call, 'grant_type'),
      scope: String(answer['scope']),
      client_auth_method: authMethodOf(client),
      [isRefresh ? 'updated_refresh_token_id' : 'refresh_token_id']: refreshTokenId,
      refresh_token_type: refreshTokenId === undefined ? undefined : 'Refresh',
      ...details,
    },
  });
}

const idOf = (token: unknown): string | undefined => (typeof token === 'string' ? decodeJwt(token).jti : undefined);
