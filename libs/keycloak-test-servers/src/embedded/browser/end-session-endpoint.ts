/** OpenID Connect RP-Initiated Logout 1.0 §2, and Keycloak's logout by refresh token. */
import { logOut } from '../grants/backchannel-logout.js';
import { PageRefusal } from './browser-refusal.js';
import { redirect, withQuery } from './callback.js';
import { authenticateClient } from '../grants/client-authentication.js';
import { protocolPath } from '../realm/realm-paths.js';
import { authMethodOf, recordUserEvent } from '../events/record-user-event.js';
import { readRefreshToken } from '../grants/grants.js';
import { parameter, type HttpAnswer, type HttpCall } from '../http/http-call.js';
import { sessionOf } from '../grants/live-token.js';
import { readLogoutRequest } from './logout-request.js';
import { confirmLogoutPage, loggedOutPage } from './pages.js';
import type { PendingLogout } from '../state/pending-logouts.js';
import type { ServerState } from '../state/server-state.js';
import { noSessionCookie, sessionOfBrowser } from './session-cookie.js';

/** If a logout request names no client, Keycloak uses the client of the account console. */
const ACCOUNT = 'account';

export const confirmLogoutPath = (realm: string): string => `${protocolPath(realm)}/logout/logout-confirm`;

export async function endSessionEndpoint(server: ServerState, call: HttpCall): Promise<HttpAnswer> {
  if (call.method === 'POST' && call.form.has('refresh_token')) return logoutByRefreshToken(server, call);
  const { hint, client, ...target } = await readLogoutRequest(server, call.method === 'POST' ? call.form : call.query);
  const ofBrowser = sessionOfBrowser(server, call);
  const isOfHint = hint !== undefined && (ofBrowser === undefined || ofBrowser.sid === hint['sid']);
  if (isOfHint) {
    const session = ofBrowser ?? sessionOf(server, hint);
    return ended(server, call, { session, clientId: client?.clientId, ...target });
  }
  if (ofBrowser === undefined && target.returnTo !== undefined) return redirect(target.returnTo);
  // Another site may have sent the request, so the user must confirm the logout.
  const clientId = client?.clientId ?? ACCOUNT;
  const sessionCode = server.logouts.begin({ session: ofBrowser, clientId, ...target });
  return confirmLogoutPage(withQuery(confirmLogoutPath(server.realm.name), { client_id: clientId }), sessionCode);
}

export async function confirmLogoutEndpoint(server: ServerState, call: HttpCall): Promise<HttpAnswer> {
  const pending = server.logouts.take(parameter(call, 'session_code') ?? '');
  const session = sessionOfBrowser(server, call);
  if (pending === undefined || !call.form.has('confirmLogout') || pending.session !== session) {
    throw new PageRefusal('Logout failed');
  }
  return ended(server, call, { ...pending, session });
}

async function logoutByRefreshToken(server: ServerState, call: HttpCall): Promise<HttpAnswer> {
  const client = authenticateClient(server, call);
  const session = sessionOf(server, await readRefreshToken(server, client, parameter(call, 'refresh_token') ?? ''));
  if (session !== undefined) {
    await logOut(server, session);
    const { user, sid } = session;
    const details = { client_auth_method: authMethodOf(client) };
    recordUserEvent(server, call, { type: 'LOGOUT', client, user, sid, details });
  }
  return { status: 204, headers: { 'cache-control': 'no-cache' }, body: '' };
}

/** If the session has already ended, the logout still succeeds (§2). */
async function ended(server: ServerState, call: HttpCall, logout: PendingLogout) {
  const { session, clientId, postLogoutRedirectUri, returnTo } = logout;
  if (session !== undefined) {
    await logOut(server, session);
    const { user, sid } = session;
    const details = { redirect_uri: postLogoutRedirectUri };
    recordUserEvent(server, call, { type: 'LOGOUT', client: clientId, user, sid, details });
  }
  const headers = { 'set-cookie': noSessionCookie(server) };
  return returnTo === undefined ? loggedOutPage(headers) : redirect(returnTo, headers);
}
