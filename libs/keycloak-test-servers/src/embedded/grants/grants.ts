/** RFC 6749 §4.4 (client credentials), §4.3 (password), §6 (refresh token). */
import { recordFailedLogin } from '../events/record-failed-login.js';
import { authMethodOf } from '../events/record-user-event.js';
import { recordGrant } from './grant-event.js';
import { grantClaims, requestedScopes } from './granted-claims.js';
import { parameter, type HttpCall } from '../http/http-call.js';
import { isExpired, isStale, sessionOf } from './live-token.js';
import { OAuthRefusal } from './oauth-refusal.js';
import type { RealmClient } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import type { Session } from '../state/sessions.js';
import type { Claims } from '../state/signing-keys.js';
import { accessTokenAnswer, sessionAnswer, type TokenMembers } from './token-answer.js';

export type Grant = (server: ServerState, client: RealmClient, call: HttpCall) => Promise<TokenMembers>;

export const clientCredentialsGrant: Grant = async (server, client, call) => {
  const user = server.realm.serviceAccountOf(client);
  if (!client.serviceAccount || user === undefined) {
    const who = client.isPublic ? 'Public client not allowed' : 'Client not enabled';
    throw new OAuthRefusal(401, 'unauthorized_client', `${who} to retrieve service account`);
  }
  const scope = parameter(call, 'scope');
  requestedScopes(client, scope);
  if (!user.enabled) throw new OAuthRefusal(401, 'invalid_request', `User '${user.username}' disabled`);
  const { remoteAddress } = call;
  const notes = { client_id: client.clientId, clientHost: remoteAddress, clientAddress: remoteAddress };
  const granted = grantClaims(server.realm, { client, user, scope, notes });
  const answer = await accessTokenAnswer(server, { client, granted, idPrefix: 'trrtcc' });
  recordGrant(server, call, answer, { type: 'CLIENT_LOGIN', client, user, details: { username: user.username } });
  return answer;
};

export const passwordGrant: Grant = async (server, client, call) => {
  if (!client.passwordGrant) {
    throw new OAuthRefusal(400, 'unauthorized_client', 'Client not allowed for direct access grants');
  }
  const [username, password, scope] = ['username', 'password', 'scope'].map((name) => parameter(call, name));
  requestedScopes(client, scope);
  if (username === undefined) throw new OAuthRefusal(401, 'invalid_request', 'Missing parameter: username');
  const details = { auth_method: 'openid-connect', username };
  const failed = { client, details: { ...details, grant_type: 'password', client_auth_method: authMethodOf(client) } };
  const attempt = server.loginFailures.attempt(server.realm.userNamed(username), password);
  if (attempt.error !== undefined) {
    recordFailedLogin(server, call, { ...failed, ...attempt });
    throw invalidGrant('Invalid user credentials');
  }
  const { user } = attempt;
  if (!user.enabled) {
    recordFailedLogin(server, call, { ...failed, user, error: 'user_disabled' });
    throw invalidGrant('Account disabled');
  }
  const granted = grantClaims(server.realm, { client, user, scope });
  const session = server.sessions.begin(user);
  server.sessions.join(session, client.clientId);
  const answer = await sessionAnswer(server, { client, granted, idPrefix: 'onrtro', session }, scope ?? '');
  recordGrant(server, call, answer, { type: 'LOGIN', client, user, sid: session.sid, details });
  return answer;
};

export const refreshTokenGrant: Grant = async (server, client, call) => {
  const token = parameter(call, 'refresh_token');
  if (token === undefined) throw new OAuthRefusal(400, 'invalid_request', 'No refresh token');
  const claims = await readRefreshToken(server, client, token);
  if (isStale(server, claims)) throw invalidGrant('Stale token');
  const session = sessionOf(server, claims);
  if (session === undefined) throw invalidGrant('Session not active');
  if (!session.user.enabled) throw invalidGrant('User disabled');
  if (isExpired(server, claims)) throw invalidGrant('Token is not active');
  const since = session.clients.get(client.clientId);
  if (since === undefined) throw invalidGrant("Session doesn't have required client");
  if (Number(claims['iat']) < since) throw invalidGrant('refresh token issued before the client session started');
  const original = String(claims['scope']);
  const scope = parameter(call, 'scope') ?? (original === '' ? undefined : original);
  const beyond = requestedScopes(client, scope).filter(
    (name) => !client.defaultScopes.includes(name) && !original.split(' ').includes(name),
  );
  if (beyond.length > 0) throw new OAuthRefusal(400, 'invalid_scope', `Invalid scopes: ${scope}`);
  if (server.realm.settings.revokeRefreshToken) useUpRefreshToken(server, session, claims);
  const granted = grantClaims(server.realm, {
    client,
    user: session.user,
    scope,
    notes: server.sessions.notesOf(session, client.clientId),
  });
  const answer = await sessionAnswer(server, { client, granted, idPrefix: 'onrtrt', session }, original);
  const { user, sid } = session;
  const details = { refresh_token_id: String(claims['jti']), refresh_token_sub: user.id };
  recordGrant(server, call, answer, { type: 'REFRESH_TOKEN', client, user, sid, isRefresh: true, details });
  return answer;
};

/** A second use of a refresh token may mean theft, so the newest token becomes invalid too (RFC 9700 §4.14.2). */
function useUpRefreshToken({ sessions }: ServerState, session: Session, { jti, azp }: Claims): void {
  if (sessions.isRevoked(String(jti))) {
    sessions.leave(session, String(azp));
    throw invalidGrant('Maximum allowed refresh token reuse exceeded');
  }
  sessions.revoke(String(jti));
}

export async function readRefreshToken(server: ServerState, client: RealmClient, token: string) {
  const claims = await server.keys.read(token);
  if (claims?.['typ'] !== 'Refresh') throw invalidGrant('Invalid refresh token');
  if (claims['azp'] === client.clientId) return claims;
  throw invalidGrant("Invalid refresh token. Token client and authorized client don't match");
}

const invalidGrant = (description: string): OAuthRefusal => new OAuthRefusal(400, 'invalid_grant', description);
