/** RFC 6749 §4.1.3, RFC 7636 §4.5. */
import { checkCodeVerifier } from './code-challenge.js';
import { recordGrant } from './grant-event.js';
import { grantClaims } from './granted-claims.js';
import type { Grant } from './grants.js';
import { parameter } from '../http/http-call.js';
import { OAuthRefusal } from './oauth-refusal.js';
import { sessionAnswer } from './token-answer.js';

/** The code is used up even if the rest of the request is invalid. */
export const authorizationCodeGrant: Grant = async (server, client, call) => {
  const code = parameter(call, 'code');
  if (code === undefined) throw new OAuthRefusal(400, 'invalid_request', 'Missing parameter: code');
  const granted = server.codes.redeem(code);
  if (granted === undefined) throw invalidGrant('Code not valid');
  const { request, session } = granted;
  if (!session.user.enabled) throw invalidGrant('User disabled');
  if (request.client.clientId !== client.clientId) {
    throw invalidGrant('Auth error: Found different client_id in clientSession');
  }
  if (parameter(call, 'redirect_uri') !== request.redirectUri) throw invalidGrant('Incorrect redirect_uri');
  checkCodeVerifier(request.challenge, parameter(call, 'code_verifier'));
  const { scope, nonce } = request;
  const claims = grantClaims(server.realm, {
    client,
    user: session.user,
    scope,
    notes: server.sessions.notesOf(session, client.clientId),
  });
  const issue = { client, granted: claims, idPrefix: 'onrtac', session, nonce } as const;
  const answer = await sessionAnswer(server, issue, scope ?? '');
  const { user, sid } = session;
  recordGrant(server, call, answer, { type: 'CODE_TO_TOKEN', client, user, sid });
  return answer;
};

const invalidGrant = (description: string): OAuthRefusal => new OAuthRefusal(400, 'invalid_grant', description);
