import type { AuthorizationRequest } from '../state/authorization-request.js';
import { CallbackRefusal, PageRefusal } from './browser-refusal.js';
import { withQuery } from './callback.js';
import { codeAnswer } from './code-answer.js';
import { recordFailedLogin } from '../events/record-failed-login.js';
import { realmPath } from '../realm/realm-paths.js';
import { parameter, type HttpAnswer, type HttpCall } from '../http/http-call.js';
import { loginPage } from './pages.js';
import type { PendingLogin } from '../state/pending-logins.js';
import type { RealmUser } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import { loginCookie, loginCookieOf, sessionOfBrowser } from './session-cookie.js';
import type { Session } from '../state/sessions.js';

const NO_COOKIE =
  'Restart login cookie not found. It may have expired; it may have been deleted or cookies are disabled in your browser. ' +
  'If cookies are disabled then enable them. Click Back to Application to login again.';

export const WRONG_PASSWORD = 'Invalid username or password.';

export const loginPath = (realm: string): string => `${realmPath(realm)}/login-actions/authenticate`;

export function loginFormFor(
  server: ServerState,
  call: HttpCall,
  request: AuthorizationRequest,
  { user, reached }: Pick<PendingLogin, 'user' | 'reached'>,
): HttpAnswer {
  const login = server.logins.begin(loginCookieOf(call), request, { user, reached });
  const page = formOf(server, login);
  return { ...page, headers: { ...page.headers, 'set-cookie': loginCookie(server, login.browser) } };
}

export function loginEndpoint(server: ServerState, call: HttpCall): HttpAnswer {
  const login = server.logins.find(call.query.get('session_code'), loginCookieOf(call));
  if (login === undefined) throw new PageRefusal(NO_COOKIE);
  if (login.isDone) throw new CallbackRefusal(login.request, 'temporarily_unavailable', 'authentication_expired');
  if (call.method === 'GET') return formOf(server, login);

  const username = login.user?.username ?? parameter(call, 'username') ?? '';
  const attempt = server.loginFailures.attempt(server.realm.userNamed(username), parameter(call, 'password'));
  const { client, redirectUri } = login.request;
  const details = { auth_method: 'openid-connect', auth_type: 'code', redirect_uri: redirectUri, username };
  if (attempt.error !== undefined) {
    recordFailedLogin(server, call, { client, details, ...attempt });
    return formOf(server, login, username, isPasswordAlone(server, login) ? 'Invalid password.' : WRONG_PASSWORD);
  }
  const { user } = attempt;
  if (!user.enabled) {
    recordFailedLogin(server, call, { client, details, user, error: 'user_disabled' });
    return formOf(server, login, username, 'Account is disabled, contact your administrator.');
  }
  return afterForm(server, call, login, user);
}

function afterForm(server: ServerState, call: HttpCall, login: PendingLogin, user: RealmUser): HttpAnswer {
  const { levels } = server.realm;
  const { request } = login;
  const now = server.clock.now();
  const passed = levels.next(login.reached, request.level.level);
  login.user = user;
  if (passed !== undefined) {
    login.reached = passed.level;
    login.passed.push(passed.level);
  }
  if (passed !== undefined && levels.next(login.reached, request.level.level) !== undefined)
    return formOf(server, login);
  if (request.level.isEssential && login.reached < request.level.level) throw new PageRefusal(WRONG_PASSWORD);
  const session = sessionFor(server, call, user);
  session.authTime = now;
  for (const level of login.passed) session.levels.set(level, now);
  login.isDone = true;
  return codeAnswer(server, call, request, { session, level: login.reached, isSso: false });
}

function sessionFor(server: ServerState, call: HttpCall, user: RealmUser): Session {
  const session = sessionOfBrowser(server, call) ?? server.sessions.begin(user);
  if (session.user !== user) {
    const other = `You are already authenticated as different user '${session.user.username}' in this session.`;
    throw new PageRefusal(`${other} Please sign out first.`);
  }
  return session;
}

const MAX_USERS = 5;

const isPasswordAlone = ({ realm }: ServerState, { reached, request }: PendingLogin): boolean =>
  realm.levels.next(reached, request.level.level)?.asksName === false;

function formOf(server: ServerState, login: PendingLogin, username?: string, error?: string) {
  const { baseUrl, realm } = server;
  const { sessionCode, request, user } = login;
  const query = { session_code: sessionCode, client_id: request.client.clientId };
  return loginPage({
    realm: realm.name,
    action: withQuery(baseUrl + loginPath(realm.name), query),
    username: username ?? user?.username ?? request.loginHint,
    isUsernameFixed: user !== undefined,
    isPasswordAlone: isPasswordAlone(server, login),
    error,
    users: realm
      .users()
      .filter(({ password }) => password !== undefined)
      .slice(0, MAX_USERS)
      .map(({ username: name }) => name),
  });
}
