/** The login form: a correct password starts a session, a wrong one shows the form again. */
import type { AuthorizationRequest } from './authorization-request.js';
import { CallbackRefusal, PageRefusal } from './browser-refusal.js';
import { withQuery } from './callback.js';
import { codeAnswer } from './code-answer.js';
import { realmPath } from '../discovery.js';
import { parameter, type HttpAnswer, type HttpCall } from '../http/http-call.js';
import { loginPage } from './pages.js';
import type { PendingLogin } from './pending-logins.js';
import type { RealmUser } from '../realm/realm-representation.js';
import type { ServerState } from '../server-state.js';
import { loginCookie, loginCookieOf, sessionOfBrowser } from './session-cookie.js';
import type { Session } from '../sessions.js';

const NO_COOKIE =
  'Restart login cookie not found. It may have expired; it may have been deleted or cookies are disabled in your browser. ' +
  'If cookies are disabled then enable them. Click Back to Application to login again.';

export const loginPath = (realm: string): string => `${realmPath(realm)}/login-actions/authenticate`;

/** `session`: the session of a user who must enter the password again. */
export function loginFormFor(
  server: ServerState,
  call: HttpCall,
  request: AuthorizationRequest,
  session: Session | undefined,
): HttpAnswer {
  const login = server.logins.begin(loginCookieOf(call), request, session);
  const page = formOf(server, login);
  return { ...page, headers: { ...page.headers, 'set-cookie': loginCookie(server, login.browser) } };
}

/** A GET request, such as a reload, shows the form again. */
export function loginEndpoint(server: ServerState, call: HttpCall): HttpAnswer {
  const login = server.logins.find(call.query.get('session_code'), loginCookieOf(call));
  if (login === undefined) throw new PageRefusal(NO_COOKIE);
  if (login.isDone) throw new CallbackRefusal(login.request, 'temporarily_unavailable', 'authentication_expired');
  if (call.method === 'GET') return formOf(server, login);

  const username = login.session?.user.username ?? parameter(call, 'username') ?? '';
  const user = server.realm.userNamed(username);
  if (!server.loginFailures.accept(user, parameter(call, 'password'))) {
    return formOf(server, login, username, 'Invalid username or password.');
  }
  if (!user.enabled) return formOf(server, login, username, 'Account is disabled, contact your administrator.');
  const session = sessionFor(server, call, user);
  login.isDone = true;
  return codeAnswer(server, login.request, session, true);
}

/** Uses the session of the browser if there is one: another tab may have logged in meanwhile. */
function sessionFor(server: ServerState, call: HttpCall, user: RealmUser): Session {
  const session = sessionOfBrowser(server, call) ?? server.sessions.begin(user);
  if (session.user !== user) {
    const other = `You are already authenticated as different user '${session.user.username}' in this session.`;
    throw new PageRefusal(`${other} Please sign out first.`);
  }
  session.authTime = server.clock.now();
  return session;
}

/** As many as a note can name. */
const MAX_USERS = 5;

function formOf(
  server: ServerState,
  { sessionCode, request, session }: PendingLogin,
  username?: string,
  error?: string,
) {
  const { baseUrl, realm } = server;
  const query = { session_code: sessionCode, client_id: request.client.clientId };
  return loginPage({
    realm: realm.name,
    action: withQuery(baseUrl + loginPath(realm.name), query),
    username: username ?? session?.user.username ?? request.loginHint,
    isUsernameFixed: session !== undefined,
    error,
    users: realm
      .users()
      .filter(({ password }) => password !== undefined)
      .slice(0, MAX_USERS)
      .map(({ username: name }) => name),
  });
}
