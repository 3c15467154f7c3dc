import type { AuthorizationRequest } from '../state/authorization-request.js';
import { callbackAnswer } from './callback.js';
import { recordUserEvent } from '../events/record-user-event.js';
import type { HttpAnswer, HttpCall } from '../http/http-call.js';
import type { ServerState } from '../state/server-state.js';
import { sessionCookie } from './session-cookie.js';
import type { Arrival, Session } from '../state/sessions.js';

export function codeAnswer(
  server: ServerState,
  call: HttpCall,
  request: AuthorizationRequest,
  { session, ...arrival }: Pick<Arrival, 'level' | 'isSso'> & { readonly session: Session },
): HttpAnswer {
  const { client, redirectUri, responseMode } = request;
  const { clientId } = client;
  const { user, sid } = session;
  server.sessions.touch(session);
  server.sessions.join(session, clientId);
  session.arrivals.set(clientId, { ...arrival, asked: request.level.asked });
  recordUserEvent(server, call, {
    type: 'LOGIN',
    client,
    user,
    sid,
    details: {
      auth_method: 'openid-connect',
      auth_type: 'code',
      response_type: 'code',
      response_mode: responseMode,
      redirect_uri: redirectUri,
      consent: 'no_consent_required',
      username: user.username,
    },
  });
  const code = server.codes.issue({ request, session });
  const answer = callbackAnswer(server.issuer, request, { session_state: session.sid, code });
  return { ...answer, headers: { ...answer.headers, 'set-cookie': sessionCookie(server, session) } };
}
