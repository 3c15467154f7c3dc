/** OpenID Connect Core §5.3. */
import { grantClaims } from '../grants/granted-claims.js';
import { bearerToken, json, parameter, type HttpAnswer, type HttpCall } from '../http/http-call.js';
import { lacksSession, predatesLogout, readGoodToken, sessionOf } from '../grants/live-token.js';
import type { ServerState } from '../state/server-state.js';

export async function userinfoEndpoint(server: ServerState, call: HttpCall): Promise<HttpAnswer> {
  const presented = [bearerToken(call), parameter(call, 'access_token')].filter((token) => token !== undefined);
  const [token] = presented;
  if (token === undefined) return refusal(server, 401);
  if (presented.length > 1) {
    return refusal(server, 400, 'invalid_request', 'More than one method used for including an access token');
  }
  const claims = await readGoodToken(server, token, ['Bearer']);
  const client = server.realm.client(String(claims?.['azp']));
  if (claims === undefined || client === undefined) return invalidToken(server, 'Token verification failed');
  const scope = String(claims['scope']);
  if (!scope.split(' ').includes('openid')) {
    return refusal(server, 403, 'insufficient_scope', 'Missing openid scope');
  }
  if (!client.enabled) return invalidToken(server, 'Client disabled');
  if (lacksSession(server, claims)) return invalidToken(server, 'user_session_not_found');
  const session = sessionOf(server, claims);
  const user = session?.user ?? server.realm.userById(String(claims['sub']));
  if (user === undefined) return invalidToken(server, 'user_not_found');
  if (!user.enabled) return invalidToken(server, session === undefined ? 'user_disabled' : 'User disabled');
  if (predatesLogout(user, claims)) return invalidToken(server, 'User not valid');
  const { userinfo } = grantClaims(server.realm, {
    client,
    user,
    scope,
    notes: server.sessions.notesOf(session, client.clientId),
  });
  return json(200, userinfo, { 'cache-control': 'no-store, no-cache' });
}

const invalidToken = (server: ServerState, description: string): HttpAnswer =>
  refusal(server, 401, 'invalid_token', description);

/** The header has the error, and the body is empty (RFC 6750 §3). */
function refusal({ realm }: ServerState, status: number, error?: string, description?: string): HttpAnswer {
  const why = error === undefined ? '' : `, error="${error}", error_description="${description}"`;
  const headers = {
    'content-type': 'text/plain;charset=utf-8',
    'cache-control': 'no-store',
    'www-authenticate': `Bearer realm="${realm.name}"${why}`,
  };
  return { status, headers, body: '' };
}
