/** RFC 7662. A token is active only for a client in the audience of the token. */
import { authenticateClient, WRONG_SECRET_AT_INTROSPECTION } from '../grants/client-authentication.js';
import { grantClaims, oneOrMany } from '../grants/granted-claims.js';
import { json, parameter, type HttpAnswer, type HttpCall } from '../http/http-call.js';
import { audiencesOf, findLiveToken, type LiveToken } from '../grants/live-token.js';
import { OAuthRefusal } from '../grants/oauth-refusal.js';
import type { RealmClient } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';

const INTROSPECTED_KINDS = ['Bearer', 'ID'];
const TOKEN_TYPE_HINTS = ['access_token', 'refresh_token', 'requesting_party_token'];

export async function introspectionEndpoint(server: ServerState, call: HttpCall): Promise<HttpAnswer> {
  const client = authenticateClient(server, call, { wrongSecret: WRONG_SECRET_AT_INTROSPECTION });
  if (client.isPublic) throw new OAuthRefusal(403, 'invalid_request', 'Client not allowed.');
  const token = parameter(call, 'token');
  if (token === undefined) throw new OAuthRefusal(400, 'invalid_request', 'Token not provided.');
  const hint = parameter(call, 'token_type_hint') ?? 'access_token';
  if (!TOKEN_TYPE_HINTS.includes(hint)) throw new OAuthRefusal(400, 'invalid_request', 'Unsupported token type.');
  const members = hint === 'access_token' ? await membersFor(server, client, token) : { active: false };
  return json(200, members, { 'cache-control': 'no-cache' });
}

async function membersFor(server: ServerState, { clientId }: RealmClient, token: string): Promise<object> {
  const live = await findLiveToken(server, token, INTROSPECTED_KINDS);
  if (live === undefined || !audiencesOf(live.claims).includes(clientId)) return { active: false };
  if (live.session !== undefined) server.sessions.touch(live.session);
  return {
    ...currentClaims(server, live),
    client_id: live.claims['azp'],
    username: live.user.username,
    token_type: live.claims['typ'],
    active: true,
  };
}

/**
 * Mapped claims are current, but the scope comes from the token. As in Keycloak, the answer also names audiences that a
 * token exchange has removed from the token.
 */
function currentClaims({ realm, sessions }: ServerState, { claims, client, user, session }: LiveToken): object {
  const { sub, sid, scope, exp, iat, jti, iss, typ, azp } = claims;
  const asked = typeof scope === 'string' && scope !== '' ? scope : undefined;
  const notes = sessions.notesOf(session, client.clientId);
  const { introspection } = grantClaims(realm, { client, user, scope: asked, notes });
  const aud = oneOrMany([...new Set([...audiencesOf(claims), ...introspection.audiences])]);
  return { ...introspection.claims, aud, sub, sid, scope: asked, exp, iat, jti, iss, typ, azp };
}
