import { realmPath } from '../realm/realm-paths.js';
import type { HttpCall } from '../http/http-call.js';
import type { ServerState } from '../state/server-state.js';
import type { Session } from '../state/sessions.js';

const LOGIN_COOKIE = 'AUTH_SESSION_ID';
const SESSION_COOKIE = 'KEYCLOAK_IDENTITY';

/** The cookie also contains a secret key, since every receiver of a token knows the `sid`. */
export const sessionCookie = (server: ServerState, { sid, browserKey }: Session): string =>
  cookie(server, SESSION_COOKIE, `${sid}.${browserKey}`);

export const noSessionCookie = (server: ServerState): string => `${cookie(server, SESSION_COOKIE, '')}; Max-Age=0`;

export const loginCookie = (server: ServerState, browser: string): string => cookie(server, LOGIN_COOKIE, browser);

export const loginCookieOf = ({ cookies }: HttpCall): string | undefined => cookies.get(LOGIN_COOKIE);

export function sessionOfBrowser({ sessions, realm }: ServerState, { cookies }: HttpCall): Session | undefined {
  const [sid = '', key] = cookies.get(SESSION_COOKIE)?.split('.') ?? [];
  const session = sessions.find(sid);
  if (session === undefined || session.browserKey !== key || !session.user.enabled) return undefined;
  return (session.authTime ?? session.startedAt) < realm.settings.notBefore ? undefined : session;
}

const cookie = ({ realm }: ServerState, name: string, value: string): string =>
  `${name}=${value}; Path=${realmPath(realm.name)}/; HttpOnly; SameSite=Lax`;
