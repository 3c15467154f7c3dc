/** RFC 6749 §3.1, OpenID Connect Core §3.1.2. */
import { readAuthorizationRequest } from './read-authorization-request.js';
import type { AuthorizationRequest } from '../state/authorization-request.js';
import { CallbackRefusal, PageRefusal } from './browser-refusal.js';
import { codeAnswer } from './code-answer.js';
import type { HttpAnswer, HttpCall } from '../http/http-call.js';
import { loginFormFor, WRONG_PASSWORD } from './login-endpoint.js';
import { NO_LEVEL } from '../realm/authentication-levels.js';
import type { ServerState } from '../state/server-state.js';
import { sessionOfBrowser } from './session-cookie.js';
import type { Session } from '../state/sessions.js';

export function authorizationEndpoint(server: ServerState, call: HttpCall): HttpAnswer {
  const request = readAuthorizationRequest(server.realm, call.method === 'POST' ? call.form : call.query);
  const session = sessionOfBrowser(server, call);
  const { levels } = server.realm;
  const isRecent = session !== undefined && isRecentEnough(server, request, session);
  const held = isRecent ? levels.held(session.levels, server.clock.now()) : NO_LEVEL;
  if (isRecent && held >= request.level.level) {
    return codeAnswer(server, call, request, { session, level: held, isSso: true });
  }
  if (request.prompt.includes('none')) throw new CallbackRefusal(request, 'login_required');
  // The realm has no form for a higher level, so the user can't reach the requested level.
  if (isRecent && levels.areThere && levels.next(held, request.level.level) === undefined)
    throw new PageRefusal(WRONG_PASSWORD);
  return loginFormFor(server, call, request, { user: session?.user, reached: held });
}

/** Whether the login meets `prompt=login` and `max_age` (OpenID Connect Core §3.1.2.1). */
function isRecentEnough({ clock }: ServerState, { prompt, maxAgeSeconds }: AuthorizationRequest, session: Session) {
  if (prompt.includes('login')) return false;
  return maxAgeSeconds === undefined || clock.now() - (session.authTime ?? 0) <= maxAgeSeconds;
}
