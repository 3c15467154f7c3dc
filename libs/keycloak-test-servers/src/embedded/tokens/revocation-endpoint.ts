/** RFC 7009. */
import { authenticateClient } from '../grants/client-authentication.js';
import { authMethodOf, recordUserEvent } from '../events/record-user-event.js';
import { json, parameter, type HttpAnswer, type HttpCall } from '../http/http-call.js';
import { sessionOf } from '../grants/live-token.js';
import { OAuthRefusal } from '../grants/oauth-refusal.js';
import type { RealmClient } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import type { Claims } from '../state/signing-keys.js';

/**
 * A revoked refresh token removes the client from the session. A session without clients ends. Clients are not
 * notified.
 */
export async function revocationEndpoint(server: ServerState, call: HttpCall): Promise<HttpAnswer> {
  const client = authenticateClient(server, call);
  const token = parameter(call, 'token');
  if (token === undefined) throw new OAuthRefusal(400, 'invalid_request', 'Token not provided');
  const claims = await server.keys.read(token);
  if (claims === undefined) return UNKNOWN_TOKEN;
  const { typ, azp, jti, sid } = claims;
  if (typ !== 'Bearer' && typ !== 'Refresh') {
    throw new OAuthRefusal(400, 'unsupported_token_type', 'Unsupported token type');
  }
  if (azp !== client.clientId) throw new OAuthRefusal(400, 'invalid_request', 'Unmatching clients');
  const session = sessionOf(server, claims);
  if (sid !== undefined && session === undefined) return UNKNOWN_TOKEN;
  if (typ === 'Bearer') server.sessions.revoke(String(jti));
  else if (session !== undefined) {
    server.sessions.leave(session, client.clientId);
    if (session.clients.size === 0) server.sessions.end(session.sid);
  }
  recordRevocation(server, call, client, claims);
  return { status: 200, headers: {}, body: '' };
}

/** As in Keycloak, the event for a revoked access token has no session id. */
function recordRevocation(server: ServerState, call: HttpCall, client: RealmClient, claims: Claims): void {
  const { typ, jti, sub, sid } = claims;
  const isRefresh = typ === 'Refresh';
  recordUserEvent(server, call, {
    type: 'REVOKE_GRANT',
    client,
    user: typeof sub === 'string' ? { id: sub } : undefined,
    sid: isRefresh ? String(sid) : undefined,
    details: {
      client_auth_method: authMethodOf(client),
      ...(isRefresh
        ? { refresh_token_type: 'Refresh', refresh_token_id: String(jti), revoked_client: client.clientId }
        : { token_id: String(jti) }),
    },
  });
}

// RFC 7009 §2.2 requires 200, and Keycloak adds the member `error`.
const UNKNOWN_TOKEN = json(200, { error: 'invalid_token', error_description: 'Invalid token' });
