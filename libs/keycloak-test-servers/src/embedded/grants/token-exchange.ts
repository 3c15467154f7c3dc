/** RFC 8693, checked in Keycloak's order. */
import { ACCESS_TOKEN_TYPE } from './identifiers.js';
import { recordGrant } from './grant-event.js';
import { grantClaims } from './granted-claims.js';
import type { Grant } from './grants.js';
import { parameter } from '../http/http-call.js';
import { audiencesOf, findLiveAccessToken, type LiveToken } from './live-token.js';
import { OAuthRefusal } from './oauth-refusal.js';
import type { RealmClient } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';
import type { Session } from '../state/sessions.js';
import { accessTokenAnswer, idTokenAnswer, type Issue } from './token-answer.js';

const ID_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:id_token';

export const tokenExchangeGrant: Grant = async (server, client, call) => {
  if (!client.tokenExchange) throw invalid('Standard token exchange is not enabled for the requested client');
  const [subjectToken, subjectTokenType] = ['subject_token', 'subject_token_type'].map((name) => {
    const value = parameter(call, name);
    if (value === undefined) throw invalid(`Parameter '${name}' required for standard token exchange`);
    return value;
  });
  if (subjectTokenType !== ACCESS_TOKEN_TYPE) throw invalid("Parameter 'subject_token' supports access tokens only");
  const subject = await findLiveAccessToken(server, subjectToken ?? '');
  if (subject === undefined) throw invalid('Invalid token');
  const wanted = parameter(call, 'requested_token_type') ?? ACCESS_TOKEN_TYPE;
  if (wanted !== ACCESS_TOKEN_TYPE && wanted !== ID_TOKEN_TYPE) throw invalid('requested_token_type unsupported');

  const audiences = call.form.getAll('audience');
  checkAudiences(server.realm, audiences);
  checkClientMayExchange(client, subject);
  const { user, session } = subject;
  if (session !== undefined) server.sessions.forgetLevel(session, client.clientId);
  const notes = server.sessions.notesOf(session, client.clientId);
  const granted = grantClaims(server.realm, { client, user, scope: parameter(call, 'scope'), audiences, notes });
  const issue = { client, granted, session, idPrefix: idPrefixOf(client, session) };
  const answer = await (wanted === ID_TOKEN_TYPE ? idTokenAnswer(server, issue) : accessTokenAnswer(server, issue));
  recordGrant(server, call, answer, {
    type: 'TOKEN_EXCHANGE',
    client,
    user,
    sid: session?.sid,
    details: {
      auth_method: 'token_exchange',
      audience: audiences.length === 0 ? undefined : audiences.join(' '),
      subject_token_client_id: subject.client.clientId,
      requested_token_type: wanted,
      username: user.username,
    },
  });
  return { ...answer, issued_token_type: wanted };
};

function idPrefixOf({ clientId }: RealmClient, session: Session | undefined): Issue['idPrefix'] {
  if (session === undefined) return 'trrtte';
  return session.clients.has(clientId) ? 'onrtte' : 'ntrtte';
}

function checkAudiences(realm: Realm, audiences: readonly string[]): void {
  for (const audience of audiences) {
    const client = realm.client(audience);
    if (client === undefined) throw new OAuthRefusal(400, 'invalid_client', 'Audience not found');
    if (!client.enabled) throw new OAuthRefusal(400, 'invalid_client', 'Client disabled');
  }
}

function checkClientMayExchange({ clientId }: RealmClient, { claims }: LiveToken): void {
  if (claims['azp'] === clientId || audiencesOf(claims).includes(clientId)) return;
  throw new OAuthRefusal(403, 'access_denied', 'Client is not within the token audience');
}

const invalid = (description: string): OAuthRefusal => new OAuthRefusal(400, 'invalid_request', description);
