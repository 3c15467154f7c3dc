/** The answer to a successful authorization request: a code, and the session cookie (RFC 6749 §4.1.2). */
import type { AuthorizationRequest } from './authorization-request.js';
import { callbackAnswer } from './callback.js';
import type { HttpAnswer } from '../http/http-call.js';
import type { ServerState } from '../server-state.js';
import { sessionCookie } from './session-cookie.js';
import type { Arrival, Session } from '../sessions.js';

/** Adds the client to the session, so that it receives tokens, and a notification when the session ends. */
export function codeAnswer(
  server: ServerState,
  request: AuthorizationRequest,
  session: Session,
  arrival: Pick<Arrival, 'level' | 'isSso'>,
): HttpAnswer {
  const { clientId } = request.client;
  server.sessions.touch(session);
  server.sessions.join(session, clientId);
  session.arrivals.set(clientId, { ...arrival, asked: request.level.asked });
  const code = server.codes.issue({ request, session });
  const answer = callbackAnswer(server.issuer, request, { session_state: session.sid, code });
  return { ...answer, headers: { ...answer.headers, 'set-cookie': sessionCookie(server, session) } };
}
