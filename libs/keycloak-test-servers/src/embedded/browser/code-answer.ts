/** The answer to a successful authorization request: a code, and the session cookie (RFC 6749 §4.1.2). */
import type { AuthorizationRequest } from './authorization-request.js';
import { callbackAnswer } from './callback.js';
import type { HttpAnswer } from '../http/http-call.js';
import type { ServerState } from '../server-state.js';
import { sessionCookie } from './session-cookie.js';
import type { Session } from '../sessions.js';

/** Adds the client to the session, so that it receives tokens, and a notification when the session ends. */
export function codeAnswer(
  server: ServerState,
  request: AuthorizationRequest,
  session: Session,
  hasLoggedIn: boolean,
): HttpAnswer {
  server.sessions.touch(session);
  server.sessions.join(session, request.client.clientId, hasLoggedIn);
  const code = server.codes.issue({ request, session });
  const answer = callbackAnswer(server.issuer, request, { session_state: session.sid, code });
  return { ...answer, headers: { ...answer.headers, 'set-cookie': sessionCookie(server, session) } };
}
