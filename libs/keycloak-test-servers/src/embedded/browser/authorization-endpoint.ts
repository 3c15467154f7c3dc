/** The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2): issues a code in a session, or shows the login form. */
import { readAuthorizationRequest, type AuthorizationRequest } from './authorization-request.js';
import { CallbackRefusal } from './browser-refusal.js';
import { codeAnswer } from './code-answer.js';
import type { HttpAnswer, HttpCall } from '../http/http-call.js';
import { loginFormFor } from './login-endpoint.js';
import type { ServerState } from '../server-state.js';
import { sessionOfBrowser } from './session-cookie.js';
import type { Session } from '../sessions.js';

export function authorizationEndpoint(server: ServerState, call: HttpCall): HttpAnswer {
  const request = readAuthorizationRequest(server.realm, call.method === 'POST' ? call.form : call.query);
  const session = sessionOfBrowser(server, call);
  if (session !== undefined && isRecentEnough(server, request, session)) {
    return codeAnswer(server, request, session, false);
  }
  if (request.prompt.includes('none')) throw new CallbackRefusal(request, 'login_required');
  return loginFormFor(server, call, request, session);
}

/** OpenID Connect Core §3.1.2.1: `prompt=login`, `max_age`, and `acr_values`, for which a flow without levels asks for a login each time. */
function isRecentEnough(
  { clock }: ServerState,
  { prompt, maxAgeSeconds, acrValues }: AuthorizationRequest,
  session: Session,
) {
  if (prompt.includes('login') || acrValues !== undefined) return false;
  return maxAgeSeconds === undefined || clock.now() - (session.authTime ?? 0) <= maxAgeSeconds;
}
