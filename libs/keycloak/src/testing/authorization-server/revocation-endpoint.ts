/** Revocation (RFC 7009) and logout by refresh token: how a client ends what it was given. */
import { authenticateClient } from './client-authentication.js';
import { readRefreshToken } from './grants.js';
import { json, parameter, type HttpAnswer, type HttpCall } from './http-call.js';
import { sessionOf } from './live-token.js';
import { OAuthRefusal } from './oauth-refusal.js';
import type { ServerState } from './server-state.js';

/** An access token goes alone; a refresh token takes its session with it, and so every token of that. */
export async function revocationEndpoint(server: ServerState, call: HttpCall): Promise<HttpAnswer> {
  const client = authenticateClient(server.realm, call);
  const token = parameter(call, 'token');
  if (token === undefined) throw new OAuthRefusal(400, 'invalid_request', 'Token not provided');
  const claims = await server.keys.read(token);
  if (claims === undefined) return UNKNOWN_TOKEN;
  const { typ, azp, jti, sid } = claims;
  if (typ !== 'Bearer' && typ !== 'Refresh') {
    throw new OAuthRefusal(400, 'unsupported_token_type', 'Unsupported token type');
  }
  if (azp !== client.clientId) throw new OAuthRefusal(400, 'invalid_request', 'Unmatching clients');
  if (sid !== undefined && sessionOf(server, claims) === undefined) return UNKNOWN_TOKEN;
  if (typ === 'Refresh') server.sessions.end(String(sid));
  else server.sessions.revoke(String(jti));
  return { status: 200, headers: {}, body: '' };
}

/** Keycloak's own `POST …/logout`, for programs. The page that asks a person is not here. */
export async function logoutEndpoint(server: ServerState, call: HttpCall): Promise<HttpAnswer> {
  const token = parameter(call, 'refresh_token');
  if (token === undefined) return NO_LOGOUT_PAGE;
  const client = authenticateClient(server.realm, call);
  const { sid } = await readRefreshToken(server, client, token);
  server.sessions.end(String(sid));
  return { status: 204, headers: { 'cache-control': 'no-cache' }, body: '' };
}

// RFC 7009 §2.2 wants 200 here. That it says "error" all the same is Keycloak's way.
const UNKNOWN_TOKEN = json(200, { error: 'invalid_token', error_description: 'Invalid token' });

const NO_LOGOUT_PAGE = json(501, {
  error: 'not_implemented',
  error_description: 'The embedded authorization server has no pages: log out with a refresh_token',
});
